/**
 * Holds the sources to the direction of imports: each room (a folder of `src`) may import itself and what
 * its line in the table allows. Type-only imports count like any other.
 *
 * A test beside its source may also compose other rooms, since it plays the caller; only the tests of the
 * innermost rooms, which allow nothing but `lib`, are held to the table too, so that those stay usable alone.
 */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the engine and its steps stand on. */
const STEPS_MAY = ['domain', 'hl7', 'dicom', 'metrics', 'lib'];
const ENGINE_MAY = ['steps', ...STEPS_MAY];
/** Rooms that move iterations know queue and storage by their ports only. */
const PORTS = ['queue/port', 'storage/port', 'storage/coordination-port'];
/** What the server asks of the rest. */
const SERVER_PORTS = [...PORTS, 'storage/server-port', 'queue/admin-port', 'live/port', 'autoscaler/port'];
const RUNNER_MAY = ['ledger', 'engine', ...ENGINE_MAY, ...PORTS];

/**
 * Room -> what it may import: a room, a file of a room (`room/file`), or either for its types alone
 * (`type room`). The rooms `cli` and `roles` put everything together, so nobody imports them.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[] | 'everything'>> = {
  lib: [],
  config: ['lib'],
  domain: ['lib'],
  hl7: ['lib'],
  dicom: ['lib'],
  metrics: ['domain', 'lib'],
  queue: ['domain', 'type metrics', 'type storage/coordination-port', 'lib'],
  // Totals are derived where the rows are, so the storage adds up windows itself.
  storage: ['domain', 'type metrics', 'metrics/merge-series', 'lib'],
  steps: STEPS_MAY,
  engine: ENGINE_MAY,
  ledger: ['engine', ...ENGINE_MAY, ...PORTS],
  runner: RUNNER_MAY,
  worker: RUNNER_MAY,
  sink: ['hl7', 'dicom', 'metrics', 'lib'],
  live: ['type domain/job', 'domain/run-state', ...PORTS, 'storage/server-port', 'lib'],
  autoscaler: ['domain', 'metrics', 'lib', ...SERVER_PORTS],
  api: ['domain', 'hl7', 'dicom', 'steps', 'metrics', 'lib', 'autoscaler/scaling', ...SERVER_PORTS],
  roles: 'everything',
  cli: 'everything',
};

export interface Fault {
  file: string;
  line: number;
  message: string;
}

interface Import {
  /** Path of the imported file from the root, without its ending. */
  target: string;
  typeOnly: boolean;
  line: number;
}

const IMPORT =
  /\b(?:import|export)\s+(type\s+)?(\{[^}]*\}|[\w*\s,{}]+?)\s*from\s*['"](\.[^'"]+)['"]|\bimport\s*\(?\s*['"](\.[^'"]+)['"]/g;

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const [, type, names = '', from, bare] = match;
    const specifier = from ?? bare ?? '';
    const members = /^\{(.*)\}$/s
      .exec(names)?.[1]
      ?.split(',')
      .filter((member) => member.trim() !== '');
    return {
      target: path.posix.join(path.posix.dirname(file), specifier).replace(/\.\w+$/, ''),
      typeOnly: type !== undefined || (members?.every((member) => /^\s*type\s/.test(member)) ?? false),
      line: text.slice(0, match.index).split('\n').length,
    };
  });
}

/** The faults of one source; `file` is its path from the root, with forward slashes. */
export function importFaults(file: string, text: string): Fault[] {
  const room = file.split('/')[1] ?? '';
  const allowed = MAY_IMPORT[room];
  const isTest = file.endsWith('.test.ts');
  const faults: Fault[] = [];
  for (const { target, typeOnly, line } of importsOf(file, text)) {
    const message = faultOf(target, typeOnly);
    if (message !== null) faults.push({ file, line, message });
  }
  return faults;

  function faultOf(target: string, typeOnly: boolean): string | null {
    if (allowed === undefined) return `the room ${room} has no line in scripts/check-imports.ts`;
    const [top, targetRoom = ''] = target.split('/');
    if (target.endsWith('.test')) return `${target} is a test: what two files need has a file of its own`;
    if (top !== 'src') return isTest ? null : `${target} lies outside src`;
    if (targetRoom === room || allowed === 'everything') return null;
    const innermost = allowed.every((name) => name === 'lib');
    if (isTest && !innermost) return null;
    const inSource = target.slice('src/'.length);
    const permitted = allowed.some(
      (entry) =>
        entry === targetRoom ||
        entry === inSource ||
        (typeOnly && (entry === `type ${targetRoom}` || entry === `type ${inSource}`)),
    );
    if (permitted) return null;
    return `${room} may not import ${inSource}; it may import ${allowed.join(', ') || 'nothing of ours'}`;
  }
}

if (import.meta.main) {
  const faults = globSync('src/**/*.ts', { cwd: root })
    .map((file) => file.split(path.sep).join('/'))
    .sort()
    .flatMap((file) => importFaults(file, readFileSync(path.join(root, file), 'utf8')));
  for (const { file, line, message } of faults) console.error(`${file}:${line}: ${message}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
