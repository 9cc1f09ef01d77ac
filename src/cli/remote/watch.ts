import { onInterrupt } from '../interrupt.ts';
import { RUN_STATS } from './answers.ts';
import { captureMetrics } from './capture.ts';
import { followRun } from './follow-run.ts';
import type { ApiClient } from './http.ts';
import { openLiveLink } from './live-link.ts';
import type { OutputFormat } from './output.ts';
import { createRunDisplay } from './run-display.ts';

export interface WatchOptions {
  client: ApiClient;
  runId: number;
  format: OutputFormat;
  showEvents: boolean;
  tail: number;
  intervalMs: number;
  /** Folder for the metrics of the run once it is over; null for none. */
  captureDir: string | null;
}

/** Exit code of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Follows a run to its end. Ctrl-C ends the following and leaves the run alone.
 * @returns the exit code: 0 when the run completed, 1 otherwise, 130 after Ctrl-C
 */
export async function watchRun(options: WatchOptions): Promise<number> {
  const { client, runId, format, showEvents, tail, intervalMs, captureDir } = options;
  const nowMs = (): number => performance.now();
  const { stdout: out, stderr: err } = process;
  const display = createRunDisplay({ runId, format, showEvents, out, err, nowMs });
  const abort = new AbortController();
  using _ = onInterrupt(() => {
    display.note(`run ${runId} goes on without being watched: "yeeter runs cancel ${runId}" ends it`);
    abort.abort();
  });
  const { signal } = abort;
  try {
    const follow = { client, runId, display, openLive: openLiveLink, tail, intervalMs, signal, nowMs };
    const run = await followRun(follow);
    display.end(await client.json(RUN_STATS, { path: `/api/simulator/runs/${runId}/stats`, signal }));
    if (captureDir !== null) {
      const paths = await captureMetrics(client, run, captureDir);
      err.write(`${paths.join('\n')}\n`);
    }
    return run.status === 'COMPLETED' ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  }
}
