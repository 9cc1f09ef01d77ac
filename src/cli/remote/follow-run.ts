import { createBell } from '../../api/live/bell.ts';
import { toYeeterError, YeeterError } from '../../lib/errors.ts';
import { delay } from '../../lib/lifecycle.ts';
import { isFinal, type RunDetail } from './answers.ts';
import type { ApiClient } from './http.ts';
import type { LiveLink, LiveLinkOptions, LiveProgress } from './live-link.ts';
import type { RunDisplay } from './run-display.ts';
import { createRunFeed, type RunNews } from './run-feed.ts';
import { type RunFigures, readFigures, withLive } from './run-figures.ts';

export interface FollowOptions {
  client: ApiClient;
  runId: number;
  display: RunDisplay;
  openLive: (options: LiveLinkOptions) => LiveLink;
  /** Events from before that are shown. */
  tail: number;
  /** Between two readings where no live events come, milliseconds. */
  intervalMs: number;
  /** Ends the following, not the run. */
  signal: AbortSignal;
  nowMs: () => number;
  /** How long a server may be gone before following it is given up. @default 60000 */
  patienceMs?: number;
}

const PATIENCE_MS = 60_000;
/** Live events may be lost: no longer than this goes by without a look. */
const LIVE_INTERVAL_MS = 5000;
/** Live events come up to 20 a second; a reading answers many of them. */
const MIN_INTERVAL_MS = 300;
const FIGURES_INTERVAL_MS = 2000;
const RETRY_MS = 1000;

/**
 * Shows a run until it is over: live events say when to look, a clock where none come, and what is shown is read from
 * the server's store either way, so that nothing is missing and nothing shown twice when the way changes.
 * @throws {YeeterError} CANCELLED when the signal aborts; else as `ApiClient` does
 */
export async function followRun(options: FollowOptions): Promise<RunDetail> {
  const { client, runId, display, signal, nowMs, intervalMs } = options;
  const bell = createBell();
  const feed = createRunFeed({ client, runId, tail: options.tail });
  let figures: RunFigures | null = null;
  let status = '';

  const show = ({ run, events }: RunNews): void => {
    for (const event of events) display.event(event);
    if (run.status !== status) display.status(run);
    status = run.status;
  };
  const onProgress = (live: LiveProgress): void => {
    if (figures === null) return;
    figures = withLive(figures, live);
    display.progress(figures);
  };
  let wasLost = false;
  const onChange = (isLive: boolean, reason: string): void => {
    if (!isLive) display.note(`no live events (${reason}): asking every ${intervalMs / 1000} s instead`);
    else if (wasLost) display.note('live events come again');
    wasLost = !isLive;
  };
  const news = patient(options, () => feed.read(signal));
  const ring = (): void => bell.ring();
  signal.addEventListener('abort', ring, { once: true });

  // The run is there and ours before anything is opened for it.
  let latest = await news();
  let figuresAtMs = Number.NEGATIVE_INFINITY;
  using link = isFinal(latest.run.status)
    ? null
    : options.openLive({ client, runId, onNews: ring, onProgress, onChange });
  try {
    for (;;) {
      show(latest);
      if (isFinal(latest.run.status)) break;
      if (nowMs() - figuresAtMs >= FIGURES_INTERVAL_MS) {
        const read = await patient(options, () => readFigures(client, runId, signal))();
        figures = { ...read, patientsBegun: latest.run.started_patients ?? read.patientsBegun };
        figuresAtMs = nowMs();
        display.progress(figures);
      }
      const readAtMs = nowMs();
      await bell.sleep(link?.isLive ? LIVE_INTERVAL_MS : intervalMs);
      await pause(MIN_INTERVAL_MS - (nowMs() - readAtMs), signal);
      latest = await news();
    }
    show(await patient(options, () => feed.readAll(signal))());
    return latest.run;
  } finally {
    signal.removeEventListener('abort', ring);
  }
}

/** Tries again what may succeed later, until the server was gone for too long. */
function patient<Result>(options: FollowOptions, attempt: () => Promise<Result>): () => Promise<Result> {
  const { signal, nowMs, display, patienceMs = PATIENCE_MS } = options;
  return async () => {
    let goneSinceMs: number | null = null;
    for (;;) {
      try {
        const result = await attempt();
        if (goneSinceMs !== null) display.note('the server answers again');
        return result;
      } catch (thrown) {
        const error = toYeeterError(thrown);
        if (signal.aborted || !error.retryable) throw error;
        if (goneSinceMs === null) {
          display.note(`${error.message}\ntrying again for ${Math.round(patienceMs / 1000)} s`);
          goneSinceMs = nowMs();
        } else if (nowMs() - goneSinceMs > patienceMs) throw error;
      }
      await pause(RETRY_MS, signal);
    }
  };
}

/** @throws {YeeterError} CANCELLED */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await delay(ms, signal);
  if (signal.aborted) throw new YeeterError('CANCELLED', 'following the run was ended');
}
