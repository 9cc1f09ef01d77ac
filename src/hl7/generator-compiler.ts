import { type Failure, failure, YeeterError } from '../lib/errors.ts';
import { encodeMessage } from './charset.ts';
import { createEscaper, type TextCodec } from './escape.ts';
import { getRaw, type Message, messageType, parseMessage } from './message.ts';

/** Gives the value of one cue for one message. */
export type CueRenderer<C> = (context: C) => string;

export type CueResult<C> = { ok: true; render: CueRenderer<C> } | { ok: false; message: string };

/** Knows the cues. Gets the text between `{$Faker.` and `}`; the compiler itself knows none. */
export type CueCompiler<C> = (cue: string) => CueResult<C>;

/** Something wrong in a generator's content, at a line counted from 1. */
export type GeneratorFault = Failure & { line: number };

export interface CompiledGenerator<C> {
  /** For example `ORM^O01`; null when a cue decides it. */
  messageType: string | null;
  /** Number of cues in the content. */
  cueCount: number;
  /** One message, its segments ended by CR, every cue's value escaped. */
  render(context: C): string;
}

export type CompileResult<C> =
  | { ok: true; generator: CompiledGenerator<C> }
  | { ok: false; faults: readonly GeneratorFault[] };

const CUE_START = '{$';
const CUE_PREFIX = '{$Faker.';
/** Stands for a cue while the message around it is checked; no text that a person writes has it. */
const PLACEHOLDER = '\u0000';

/**
 * Compiles a generator's content: HL7 text, its lines ended by CR, LF or CRLF, with cues `{$Faker.<cue>}`. All
 * faults (`GENERATOR_INVALID`) are reported at once, each with its line: unknown cues, a first segment that is not
 * MSH, MSH-9, MSH-10 or MSH-12 without a value, lines that are no segments, text outside the character set of MSH-18.
 */
export function compileGenerator<C>(content: string, compileCue: CueCompiler<C>): CompileResult<C> {
  const faults: GeneratorFault[] = [];
  const template = scan(content, compileCue, faults);
  const skeleton = template.literals.join(PLACEHOLDER);
  const header = checkSkeleton(skeleton, template.lines, faults);
  if (faults.length > 0 || header === null) {
    return { ok: false, faults: faults.toSorted((a, b) => a.line - b.line) };
  }
  const type = messageType(header);
  return {
    ok: true,
    generator: {
      messageType: type?.includes(PLACEHOLDER) ? null : type,
      cueCount: template.renderers.length,
      render: createRender(template, createEscaper(header.delimiters)),
    },
  };
}

interface ScannedTemplate<C> {
  /** The text between the cues; one more than there are cues. */
  literals: string[];
  renderers: CueRenderer<C>[];
  /** Line in the content of each segment. */
  lines: number[];
}

function createRender<C>(template: ScannedTemplate<C>, escapeValue: TextCodec): (context: C) => string {
  const [first, ...literals] = template.literals;
  const { renderers } = template;
  return (context) => {
    let text = first!;
    for (let i = 0; i < renderers.length; i++) {
      text += escapeValue(renderers[i]!(context)) + literals[i]!;
    }
    return text;
  };
}

/** Cuts the content at its cues; empty lines go, and every segment ends with CR. */
function scan<C>(content: string, compileCue: CueCompiler<C>, faults: GeneratorFault[]): ScannedTemplate<C> {
  const literals: string[] = [];
  const renderers: CueRenderer<C>[] = [];
  const lines: number[] = [];
  let literal = '';
  const source = content.startsWith('\ufeff') ? content.slice(1) : content;
  for (const [index, line] of source.split(/\r\n|\r|\n/).entries()) {
    if (line.trim() === '') continue;
    const number = index + 1;
    lines.push(number);
    let from = 0;
    for (const cue of findCues(line)) {
      literal += line.slice(from, cue.start);
      from = cue.end;
      const compiled = cue.text === null ? unreadableCue(line, cue) : compileCue(cue.text);
      if (!compiled.ok)
        faults.push(fault(number, `cue ${line.slice(cue.start, cue.end)}: ${compiled.message}`));
      // A faulty cue keeps its place, so that the checks around it say what is true.
      literals.push(literal);
      renderers.push(compiled.ok ? compiled.render : () => '');
      literal = '';
    }
    literal += `${line.slice(from)}\r`;
  }
  literals.push(literal);
  return { literals, renderers, lines };
}

interface FoundCue {
  start: number;
  end: number;
  /** Between `{$Faker.` and `}`; null when it does not begin or end like that. */
  text: string | null;
}

function findCues(line: string): FoundCue[] {
  const cues: FoundCue[] = [];
  let start = line.indexOf(CUE_START);
  while (start !== -1) {
    const close = closingBrace(line, start + CUE_START.length);
    const end = close === -1 ? line.length : close + 1;
    const readable = close !== -1 && line.startsWith(CUE_PREFIX, start);
    cues.push({ start, end, text: readable ? line.slice(start + CUE_PREFIX.length, close).trim() : null });
    start = line.indexOf(CUE_START, end);
  }
  return cues;
}

/** The brace that closes a cue; those within quotes do not. */
function closingBrace(line: string, from: number): number {
  let quote: string | null = null;
  for (let i = from; i < line.length; i++) {
    const character = line[i]!;
    if (quote !== null) {
      if (character === '\\') i++;
      else if (character === quote) quote = null;
    } else if (character === "'" || character === '"') quote = character;
    else if (character === '}') return i;
  }
  return -1;
}

function unreadableCue(line: string, cue: FoundCue): { ok: false; message: string } {
  const closed = line[cue.end - 1] === '}' && line.startsWith(CUE_PREFIX, cue.start) === false;
  return {
    ok: false,
    message: closed
      ? 'a cue begins with {$Faker.'
      : 'it has no closing brace on its line, or a quote is left open',
  };
}

function checkSkeleton(skeleton: string, lines: readonly number[], faults: GeneratorFault[]): Message | null {
  const segments = skeleton.split('\r').slice(0, -1);
  const headerLine = lines[0] ?? 1;
  let message: Message;
  try {
    message = parseMessage(skeleton);
  } catch (error) {
    if (!(error instanceof YeeterError)) throw error;
    faults.push(fault(headerLine, error.message.replaceAll(PLACEHOLDER, '{$...}')));
    return null;
  }
  const separator = message.delimiters.field;
  for (const [index, segment] of segments.entries()) {
    if (/^[A-Z][A-Z0-9]{2}$/.test(segment.slice(0, 3)) && (segment[3] ?? separator) === separator) continue;
    const begin = segment.slice(0, 12).replaceAll(PLACEHOLDER, '{$...}');
    faults.push(
      fault(
        lines[index]!,
        `"${begin}" begins no segment: a line begins with three letters and ${separator}, like PID${separator}`,
      ),
    );
  }
  for (const [path, name, example] of REQUIRED) {
    if (getRaw(message, path)) continue;
    faults.push(fault(headerLine, `${path} (${name}) has no value: write it, for example ${example}`));
  }
  checkCharset(skeleton, message, headerLine, faults);
  return message;
}

const REQUIRED = [
  ['MSH-9', 'message type', 'ORM^O01^ORM_O01'],
  ['MSH-10', 'message control id', '{$Faker.Context.MessageControlId}'],
  ['MSH-12', 'version', '2.5.1'],
] as const;

function checkCharset(skeleton: string, message: Message, line: number, faults: GeneratorFault[]): void {
  if (getRaw(message, 'MSH-18')?.includes(PLACEHOLDER)) return;
  try {
    encodeMessage(skeleton);
  } catch (error) {
    if (!(error instanceof YeeterError)) throw error;
    faults.push(fault(line, error.message));
  }
}

function fault(line: number, message: string): GeneratorFault {
  return { ...failure('GENERATOR_INVALID', `line ${line}: ${message}`), line };
}
