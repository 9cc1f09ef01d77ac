import type { WindowRow } from '../metrics/series.ts';
import type { CoordinationPort } from './coordination-port.ts';
import type { IterationRow, StoragePort, StoredAttempt } from './port.ts';

/** Rows of a run from first to last, a page in memory at a time. */

const PAGE = 1_000;
const WINDOW_PAGE = 200;

async function* paged<Row>(
  read: (after: number) => Promise<Row[]>,
  key: (row: Row) => number,
  start = 0,
): AsyncGenerator<Row> {
  for (let after = start; ; ) {
    const rows = await read(after);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield* rows;
    after = key(last);
  }
}

export function allAttempts(store: StoragePort, runId: number): AsyncGenerator<StoredAttempt> {
  return paged(
    (afterId) => store.readAttempts(runId, { afterId, limit: PAGE }),
    (row) => row.id,
  );
}

export function allIterations(store: StoragePort, runId: number): AsyncGenerator<IterationRow> {
  return paged(
    (after) => store.readIterations(runId, { after, limit: PAGE }),
    (row) => row.iteration,
  );
}

export function allWindows(store: StoragePort, runId: number): AsyncGenerator<WindowRow> {
  return paged(
    (afterSecond) => store.readWindows(runId, { afterSecond, limit: WINDOW_PAGE }),
    (row) => row.second,
    -1,
  );
}

/** Iterations that have their terminal row. */
export async function allFinished(store: StoragePort, runId: number): Promise<Set<number>> {
  return new Set(await gather((after) => store.finishedIterations(runId, { after, limit: NUMBERS_PAGE })));
}

/** Iterations without a terminal row that a confirmed job carries. */
export function allHandedOff(store: CoordinationPort, runId: number): Promise<number[]> {
  return gather((after) => store.handedOffIterations(runId, { after, limit: NUMBERS_PAGE }));
}

const NUMBERS_PAGE = 10_000;

async function gather(read: (after: number) => Promise<number[]>): Promise<number[]> {
  const all: number[] = [];
  for (let after = 0; ; ) {
    const page = await read(after);
    for (const number of page) all.push(number);
    if (page.length < NUMBERS_PAGE) return all;
    after = page.at(-1)!;
  }
}
