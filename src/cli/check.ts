import { formatFault, readTemplate, type TemplateFault } from '../domain/load-template.ts';
import type { Template } from '../domain/template.ts';
import { plural } from '../lib/plural.ts';
import { checkGenerator } from '../steps/generate-hl7.ts';

export interface CheckOutcome {
  ok: boolean;
  faults: readonly TemplateFault[];
  /** What to print: the faults, one a line, or what the template does. */
  text: string;
}

function describeTemplate(file: string, template: Template): string {
  const jobs = template.steps.filter((step) => step.execution === 'async').length;
  const steps = template.steps.map(
    (step) => `${step.stepType}${step.execution === 'async' ? ' (async)' : ''}`,
  );
  const hops = jobs === 0 ? 'no job' : `${jobs} ${plural(jobs, 'job')}`;
  return `${file}: no faults. "${template.name}": ${steps.join(', ')}; ${hops} a patient`;
}

/** Reads a template as a run would and finds all its faults at once. */
export function checkTemplate(file: string): CheckOutcome {
  const result = readTemplate(file, { checkGenerator });
  if (result.ok) return { ok: true, faults: [], text: describeTemplate(file, result.template) };
  const { faults } = result;
  const count = `${faults.length} ${plural(faults.length, 'fault')}`;
  return { ok: false, faults, text: [...faults.map(formatFault), `${file}: ${count}`].join('\n') };
}
