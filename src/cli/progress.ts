import type { EngineProgress } from '../roles/engine-protocol.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from './format.ts';

const RATE_SPAN_MS = 3000;

/** Shows where a run is: one line that rewrites itself on a terminal, a line every ten seconds elsewhere. */
export interface ProgressDisplay {
  update(progress: EngineProgress): void;
  /** Pictures that are drawn before the first patient starts. */
  drawing(drawn: number, underWay: number): void;
  /** Clears the line, so that what follows stands alone. */
  end(): void;
}

export interface ProgressOptions {
  stream: NodeJS.WriteStream;
  patientCount: number;
  nowMs: () => number;
}

interface Sample {
  atMs: number;
  progress: EngineProgress;
}

export function createProgressDisplay({ stream, patientCount, nowMs }: ProgressOptions): ProgressDisplay {
  const samples: Sample[] = [];
  const everyMs = stream.isTTY ? 0 : 10_000;
  let lastMs = 0;
  const show = (line: string): void => {
    if (stream.isTTY) stream.write(`\r\x1b[2K${line.slice(0, (stream.columns ?? 120) - 1)}`);
    else stream.write(`${line}\n`);
  };
  return {
    drawing: (drawn, underWay) => {
      if (stream.isTTY || drawn === 1) show(`drawing the pictures: ${drawn} of ${drawn + underWay}`);
    },
    update: (progress) => {
      if (progress.started === 0) return;
      const atMs = nowMs();
      if (samples.length === 0) lastMs = atMs;
      samples.push({ atMs, progress });
      while (samples.length > 2 && atMs - samples[1]!.atMs > RATE_SPAN_MS) samples.shift();
      if (atMs - lastMs < everyMs) return;
      lastMs = atMs;
      show(progressLine(samples, patientCount));
    },
    end: () => {
      if (stream.isTTY) stream.write('\r\x1b[2K');
    },
  };
}

/** Rates are those of the last seconds; the time left follows the patients' rate. */
export function progressLine(samples: readonly Sample[], patientCount: number): string {
  const first = samples[0]!;
  const last = samples.at(-1)!;
  const seconds = Math.max(0.001, (last.atMs - first.atMs) / 1000);
  const rate = (of: (progress: EngineProgress) => number): number =>
    (of(last.progress) - of(first.progress)) / seconds;
  const ended = (progress: EngineProgress): number =>
    progress.completed + progress.failed + progress.cancelled;
  const done = ended(last.progress);
  const patientsPerSecond = rate(ended);
  const left =
    patientsPerSecond > 0 ? formatDuration((patientCount - done) / patientsPerSecond) : 'time unknown';
  const percent = Math.floor((100 * done) / patientCount);
  return [
    `${formatCount(done)}/${formatCount(patientCount)} patients ${percent} %`,
    `${formatRate(rate((p) => p.orders))} orders/s`,
    `${formatRate(rate((p) => p.instances))} images/s`,
    `${formatBytes(rate((p) => p.bytes))}/s`,
    `${last.progress.inFlight} in flight`,
    `${formatCount(last.progress.failed)} failed`,
    `${left} left`,
  ].join(' | ');
}
