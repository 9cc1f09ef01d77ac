import { readFileSync } from 'node:fs';
import path from 'node:path';
import { YeeterError } from '../lib/errors.ts';
import type { EndpointType } from './endpoint.ts';
import { type Position, readSource, type SourceDocument } from './locate-fault.ts';
import type { Template } from './template.ts';
import { describePath, type Fault } from './template-faults.ts';
import { type ContentFault, type GeneratorFile, validateTemplate } from './validate-template.ts';

/** Names that stand for the built-in sinks, or for what `--mllp` and `--dicom` say. */
export const IMPLICIT_ENDPOINTS: Readonly<Record<string, EndpointType>> = {
  mllp: 'MLLP',
  dicom: 'DICOM_SCP',
};

export interface LoadOptions {
  /** Compiles a generator's content and reports what is wrong in it; lines from 1. */
  checkGenerator(content: string): readonly ContentFault[];
  /** Reports unknown fields and fields without effect. @default true */
  strict?: boolean;
  /** Endpoints that exist without being in the template. @default mllp and dicom */
  implicitEndpoints?: Readonly<Record<string, EndpointType>>;
}

/** One thing wrong in a template file. */
export interface TemplateFault extends Position {
  /** The generator's file when the fault lies in there, else the template's. */
  file: string;
  /** For example `step 2, parameters.count`; empty for a fault of the syntax. */
  path: string;
  message: string;
}

export type LoadResult =
  | { ok: true; template: Template }
  | {
      ok: false;
      code: 'TEMPLATE_INVALID' | 'TEMPLATE_UNREADABLE';
      /** By file, line and column. */
      faults: readonly TemplateFault[];
    };

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file: check the path';
  if (code === 'EISDIR') return 'is a folder: give a file';
  if (code === 'EACCES') return 'may not be read: check its permissions';
  return error instanceof Error ? error.message : String(error);
}

/** Reads a generator's file, relative to the template's folder. */
function generatorReader(templateFile: string): (file: string) => GeneratorFile {
  return (file) => {
    const full = path.resolve(path.dirname(templateFile), file);
    const shown = path.join(path.dirname(templateFile), file);
    try {
      return { ok: true, file: shown, content: readFileSync(full, 'utf8') };
    } catch (error) {
      return { ok: false, message: `generator file ${shown}: ${reasonOf(error)}` };
    }
  };
}

function locate(file: string, source: SourceDocument, fault: Fault): TemplateFault {
  const position =
    fault.file === undefined || fault.contentLine === undefined
      ? source.positionOf(fault)
      : { line: fault.contentLine, column: 1 };
  return { file: fault.file ?? file, ...position, path: describePath(fault.path), message: fault.message };
}

/** The template's own faults come first. */
function inOrder(file: string, faults: readonly TemplateFault[]): TemplateFault[] {
  return faults.toSorted(
    (a, b) =>
      Number(a.file !== file) - Number(b.file !== file) ||
      a.file.localeCompare(b.file) ||
      a.line - b.line ||
      a.column - b.column,
  );
}

/** Reads a template from its text; `file` names it in faults and is where relative generator files start from. */
export function parseTemplate(text: string, file: string, options: LoadOptions): LoadResult {
  const source = readSource(text);
  if (source.syntaxFaults.length > 0) {
    const faults = source.syntaxFaults.map((fault) => ({ file, path: '', ...fault }));
    return { ok: false, code: 'TEMPLATE_UNREADABLE', faults };
  }
  const result = validateTemplate(source.value, {
    strict: options.strict ?? true,
    implicitEndpoints: options.implicitEndpoints ?? IMPLICIT_ENDPOINTS,
    checkGenerator: options.checkGenerator,
    readGenerator: generatorReader(file),
  });
  if (result.ok) return result;
  const faults = result.faults.map((fault) => locate(file, source, fault));
  return { ok: false, code: 'TEMPLATE_INVALID', faults: inOrder(file, faults) };
}

/** Reads a template file, YAML or JSON, and finds everything that is wrong in it at once. */
export function readTemplate(file: string, options: LoadOptions): LoadResult {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const fault = { file, line: 1, column: 1, path: '', message: reasonOf(error) };
    return { ok: false, code: 'TEMPLATE_UNREADABLE', faults: [fault] };
  }
  return parseTemplate(text, file, options);
}

/** One line a fault: `file:line:column step 2, parameters.count: must be ...`. */
export function formatFault(fault: TemplateFault): string {
  return `${fault.file}:${fault.line}:${fault.column} ${fault.path === '' ? '' : `${fault.path}: `}${fault.message}`;
}

/**
 * Reads a template file or throws one error that lists all its faults.
 * @throws {YeeterError} TEMPLATE_INVALID, TEMPLATE_UNREADABLE
 */
export function loadTemplate(file: string, options: LoadOptions): Template {
  const result = readTemplate(file, options);
  if (result.ok) return result.template;
  const { faults } = result;
  const title = `template ${file} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}`;
  throw new YeeterError(
    result.code,
    [`${title}:`, ...faults.map((fault) => `  ${formatFault(fault)}`)].join('\n'),
  );
}
