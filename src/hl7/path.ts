import { YeeterError } from '../lib/errors.ts';

/** A place in a message. All numbers count from 1, as HL7 does. */
export interface Hl7Path {
  segment: string;
  /** Which segment of that name. */
  segmentRepetition: number;
  field: number;
  /** Which repetition of the field. */
  repetition: number;
  /** Null means the whole repetition. */
  component: number | null;
  /** Null means the whole component. */
  subcomponent: number | null;
}

const NUMBER = '([1-9][0-9]{0,4})';
const PATH = new RegExp(
  `^([A-Z][A-Z0-9]{2})(?:\\[${NUMBER}\\])?[-.]${NUMBER}(?:\\[${NUMBER}\\])?(?:\\.${NUMBER})?(?:\\.${NUMBER})?$`,
);

/**
 * Parses `OBR-4.2`, `OBR.3` or `PID[1]-3[2].4.1`: segment and its repetition, field and its repetition, component,
 * subcomponent. Repetitions that are not given are the first.
 * @throws {YeeterError} HL7_PATH
 */
export function parsePath(text: string): Hl7Path {
  const match = PATH.exec(text);
  if (!match) {
    throw new YeeterError(
      'HL7_PATH',
      `"${text.slice(0, 40)}" is not a place in a message: write it like OBR-4.2, OBR.3 or PID[1]-3[2].4.1, counting from 1`,
    );
  }
  return {
    segment: match[1]!,
    segmentRepetition: Number(match[2] ?? 1),
    field: Number(match[3]),
    repetition: Number(match[4] ?? 1),
    component: match[5] === undefined ? null : Number(match[5]),
    subcomponent: match[6] === undefined ? null : Number(match[6]),
  };
}

export function formatPath(path: Hl7Path): string {
  const nth = (n: number): string => (n === 1 ? '' : `[${n}]`);
  const component = path.component === null ? '' : `.${path.component}`;
  const subcomponent = path.subcomponent === null ? '' : `.${path.subcomponent}`;
  return `${path.segment}${nth(path.segmentRepetition)}-${path.field}${nth(path.repetition)}${component}${subcomponent}`;
}
