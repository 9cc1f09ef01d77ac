import type { CueCompiler, CueRenderer, CueResult } from '../../hl7/generator-compiler.ts';
import { YeeterError } from '../../lib/errors.ts';
import { createFakerCalls, type FakerCalls } from './faker-calls.ts';
import { createNamedCues, DEFAULT_TIME_FORMAT, type NamedCues } from './named-cues.ts';
import { parsePythonCall } from './python-call.ts';
import type { RenderContext } from './render-context.ts';
import { compileTimeFormat } from './strftime.ts';

export interface CueCompilerOptions {
  /** Where the step reads the accession number from. @default OBR.3 */
  accessionField?: string;
}

const DOTTED = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/;
const TIME_CALL = /^(?<name>[A-Za-z.]+)(?<call>\.strftime\s*\([\s\S]*)$/;

/**
 * Knows every cue that a generator may hold: named facts of patient and order, dotted paths into the run context, and
 * Faker calls from a fixed list. Text that is none of these is refused; none of it is ever evaluated.
 * @throws {YeeterError} HL7_PATH when `accessionField` is no path.
 */
export function createCueCompiler(options: CueCompilerOptions = {}): CueCompiler<RenderContext> {
  const named = createNamedCues(options.accessionField ?? 'OBR.3');
  const calls = createFakerCalls();
  return (cue) => {
    try {
      const render = compileNamed(cue, named) ?? compileFakerCall(cue, named, calls);
      return render === null ? unknownCue(cue, named, calls) : { ok: true, render };
    } catch (error) {
      if (error instanceof YeeterError) return { ok: false, message: error.message };
      throw error;
    }
  };
}

function compileNamed(cue: string, named: NamedCues): CueRenderer<RenderContext> | null {
  const text = named.text.get(cue);
  if (text) return text;
  const { name = cue, call = null } = TIME_CALL.exec(cue)?.groups ?? {};
  const time = named.times.get(name);
  if (!time) return null;
  // The part behind the name has the form of a call without one; any name does to read it.
  const format = call === null ? null : parsePythonCall(`time()${call}`).format;
  const write = format === null ? DEFAULT_TIME_FORMAT : compileTimeFormat(format);
  return (context) => write(time(context));
}

function compileFakerCall(
  cue: string,
  named: NamedCues,
  calls: FakerCalls,
): CueRenderer<RenderContext> | null {
  if (DOTTED.test(cue) || groupOf(cue, named) !== null) return null;
  const draw = calls.compile(parsePythonCall(cue));
  return draw && (({ rng, nowMs }) => draw(rng, nowMs));
}

function unknownCue(cue: string, named: NamedCues, calls: FakerCalls): CueResult<RenderContext> {
  const known = [...named.text.keys(), ...named.times.keys()];
  const group = groupOf(cue, named);
  if (group !== null) {
    const names = known.filter((name) => name.startsWith(group)).map((name) => name.slice(group.length));
    return { ok: false, message: `it is not known; ${group.slice(0, -1)} has ${names.join(', ')}` };
  }
  if (DOTTED.test(cue)) {
    const groups = [...new Set(known.map((name) => name.split('.')[0]))];
    return { ok: false, message: `it is not known; names begin with ${groups.join(', ')}` };
  }
  return { ok: false, message: `it is not known; the calls are ${calls.names.join(', ')}` };
}

/** `Patient.` and the like, when the cue begins with one. */
function groupOf(cue: string, named: NamedCues): string | null {
  const group = cue.slice(0, cue.indexOf('.') + 1);
  if (group === '') return null;
  for (const name of [...named.text.keys(), ...named.times.keys()]) if (name.startsWith(group)) return group;
  return null;
}
