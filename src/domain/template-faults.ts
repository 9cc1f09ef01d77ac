import type { ZodObject, z } from 'zod';

/** Keys and indices from the root of a template. */
export type FaultPath = readonly (string | number)[];

/** Something wrong in a template: where, what and what to do. */
export interface Fault {
  path: FaultPath;
  message: string;
  /** A line within the text at `path`, from 1, when the fault lies inside a generator's content. */
  contentLine?: number;
  /** The generator's file, when it is in one. */
  file?: string;
}

/** Takes faults as they are found. */
export type Report = (path: FaultPath, message: string) => void;

/** Reads like "step 2, parameters.count". */
export function describePath(path: FaultPath): string {
  const [head, index, ...rest] = path;
  if (head === 'steps' && typeof index === 'number')
    return [`step ${index + 1}`, ...(rest.length > 0 ? [rest.join('.')] : [])].join(', ');
  return path.length === 0 ? 'template' : path.join('.');
}

/** Levenshtein distance, small words only. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** `: did you mean "count"?`, or the known names when none is near. */
export function suggestion(word: string, known: readonly string[]): string {
  const asked = word.toLowerCase().replaceAll('-', '_');
  const ranked = known
    .map((name) => ({ name, far: distance(asked.slice(0, 64), name.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const best = ranked[0];
  if (best && best.far <= Math.max(2, Math.floor(best.name.length / 3)))
    return `did you mean "${best.name}"?`;
  return known.length === 0 ? 'there are none' : `known: ${known.join(', ')}`;
}

/** Reports the keys of `value` that a schema does not know. */
export function reportUnknown(schema: ZodObject, value: unknown, path: FaultPath, report: Report): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const known = Object.keys(schema.shape);
  for (const key of Object.keys(value))
    if (!known.includes(key)) report([...path, key], `unknown field "${key}": ${suggestion(key, known)}`);
}

/** Parses with a schema; each issue becomes a fault. Null when there was any. */
export function parseWith<S extends z.ZodType>(
  schema: S,
  value: unknown,
  path: FaultPath,
  report: Report,
): z.output<S> | null {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const keys = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    report([...path, ...keys], issue.message);
  }
  return null;
}
