import assert from 'node:assert/strict';
import { formatFault, type LoadOptions, parseTemplate } from '../../src/domain/load-template.ts';
import type { Template } from '../../src/domain/template.ts';

/** Stands for the HL7 compiler: a line that says `Nope` is at fault. */
export const OPTIONS: LoadOptions = {
  checkGenerator: (content) =>
    content
      .split('\n')
      .flatMap((text, i) => (text.includes('Nope') ? [{ line: i + 1, message: 'unknown cue "Nope"' }] : [])),
};

const GENERATORS = `generators:
  order:
    content: |
      MSH|^~\\&|YEETER|TEST|||20260105||ORM^O01^ORM_O01|1|T|2.5.1
      OBR|1
`;

export function faultsOf(text: string, options: LoadOptions = OPTIONS): string[] {
  const result = parseTemplate(text, 't.yaml', options);
  return result.ok ? [] : result.faults.map(formatFault);
}

export function templateOf(text: string, options: LoadOptions = OPTIONS): Template {
  const result = parseTemplate(text, 't.yaml', options);
  assert.ok(result.ok, result.ok ? '' : result.faults.map(formatFault).join('\n'));
  return result.template;
}

/** A template with these steps, which begin in line 7. */
export function withSteps(steps: string): string {
  return `name: t\n${GENERATORS}steps:\n${steps}`;
}

export const ORDER = `  - step_type: GENERATE_HL7
    parameters: { generator_template_id: order }
`;
/** A step that ends the performed step. */
export const ENDS = (status: string): string =>
  `  - step_type: MPPS_UPDATE\n    parameters: { mpps_status: ${status} }\n`;
export const STUDY = '  - step_type: GENERATE_DICOM\n';
