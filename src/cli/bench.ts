import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { asyncQueues } from '../domain/async-queues.ts';
import { chooseIdentity } from '../domain/choose-identity.ts';
import type { OnFailure } from '../domain/template.ts';
import { YeeterError } from '../lib/errors.ts';
import type { EmbeddedEnd, EmbeddedRun } from '../roles/embedded.ts';
import type { RunRecord, StoragePort } from '../storage/port.ts';
import type { DicomAddress, HostPort } from './address.ts';
import { resolveEndpoints } from './bench-endpoints.ts';
import { confirmTargets } from './bench-guard.ts';
import { type BenchShape, openEmbeddedShape } from './bench-shape.ts';
import { forecast, formatForecast } from './forecast.ts';
import { onInterrupt } from './interrupt.ts';
import { loadTemplateFile } from './load-template-file.ts';
import { createProgressDisplay } from './progress.ts';
import { writeRunFiles } from './run-files.ts';
import { newRunFolder, runFolderOf } from './run-folder.ts';
import { createRunReport, type RunReport } from './run-report.ts';
import { formatSummary } from './summary.ts';

export interface BenchOptions {
  templateFile: string;
  /** Number of an interrupted run to go on with; template, patients and identity are then its own. */
  resume: number | null;
  patients: number;
  /** Null draws on the data folder's own seed and a namespace that no run has had. */
  seed: number | null;
  namespace: number | null;
  clockStartMs: number | null;
  uidRoot: string | null;
  concurrency: number;
  /** Over RabbitMQ: a patient's place is free again once a queue has its job. */
  burst: boolean;
  onFailure: OnFailure;
  mllp: HostPort | null;
  dicom: DicomAddress | null;
  outDir: string | null;
  dataDir: string;
  /** With both URLs the run is carried by processes of their own, over RabbitMQ and PostgreSQL. */
  config: Config;
  /** Of that shape. */
  workers: number;
  /** Names that confirm endpoints which are not loopback. */
  confirm: readonly string[];
  json: boolean;
  quiet: boolean;
}

/** Runs a template and leaves its files. @returns the exit code: 0 when every patient completed */
export async function bench(options: BenchOptions): Promise<number> {
  const say = options.quiet ? () => {} : (line: string) => void process.stderr.write(`${line}\n`);
  const ready = options.resume === null ? loadTemplateFile(options.templateFile) : null;
  await using shape = await openShape(options, ready ? asyncQueues(ready) : [], say);
  const { store } = shape;
  const interrupted = shape.resumable ? await interruptedRuns(store) : [];
  const old = options.resume === null ? null : await runToResume(store, options.resume, interrupted);
  const template = old?.template ?? ready!;
  const outBase = resolve(options.outDir ?? 'yeeter-out');
  // Before there is a run, which would stay PENDING.
  await inOutDir(outBase, () => mkdir(outBase, { recursive: true }));
  await using resolved = await resolveEndpoints(template, options);
  const limits = await confirmTargets(store, resolved.endpoints, options);
  const patientCount = old?.patientCount ?? options.patients;
  const { onlySinks } = resolved;
  const identity =
    old?.identity ??
    (await chooseIdentity(store, { ...options, patientCount, onlySinks, nowMs: Date.now() }));
  say(formatForecast(forecast(template, identity, patientCount)));
  if (old === null) sayInterrupted(interrupted, say);
  // From here on there is a run whose accounts are to be kept: Ctrl-C stops it, not the process.
  const interrupt = new AbortController();
  using _ = onInterrupt(() => interrupt.abort());
  const { concurrency, onFailure } = options;
  const newRun = {
    userId: null,
    templateId: null,
    template,
    identity,
    patientCount,
    concurrency,
    closedModel: !options.burst,
    onFailure,
    tags: [],
    endpoints: resolved.endpoints,
    limits,
  };
  const run = old ?? (await store.createRun(newRun));
  const ownFolder = old === null ? newRunFolder : runFolderOf;
  const outDir = options.outDir === null ? await inOutDir(outBase, () => ownFolder(outBase, run)) : outBase;
  say(`run ${run.id}: ${template.name}, seed ${identity.seed}, namespace ${identity.namespace}, ${outDir}`);
  const carried = shape.start(run, {
    endpoints: resolved.endpoints,
    limits,
    resumed: old !== null && old.status !== 'PENDING',
    studyDir: join(outDir, 'studies'),
  });
  const ended = await watch(carried, run, { ...options, interrupted: interrupt.signal });
  const sinkCounts = await resolved.stopSinks();
  const report = await createRunReport(store, run.id, { resolved, sinkCounts, ended });
  const unwritten = await writeRunFiles(store, report, outDir).then(
    () => null,
    (error: unknown) => ({ error }),
  );
  present(report, unwritten ? null : outDir, options);
  if (unwritten) throw unwritten.error;
  return report.totals.completed === patientCount && ended.fault === null ? 0 : 1;
}

/** @throws {YeeterError} CONFIG_INVALID when one of the two URLs is missing, USAGE for a burst without both */
async function openShape(
  options: BenchOptions,
  queues: readonly string[],
  say: (line: string) => void,
): Promise<BenchShape> {
  const { config, workers, dataDir, burst } = options;
  if (config.rabbitmqUrl === null && config.databaseUrl === null) {
    if (burst) {
      const message = '--burst lets jobs pile up in RabbitMQ: add --queue-url and --database-url';
      throw new YeeterError('USAGE', message);
    }
    return openEmbeddedShape(dataDir, say);
  }
  // Loaded when it is asked for: the embedded shape starts without the clients of broker and database.
  const { openProcessesShape } = await import('./bench-processes.ts');
  return openProcessesShape(config, workers, queues, say);
}

/** Runs of this folder that no process carries any more: we hold its lock, so whoever did is gone. */
async function interruptedRuns(store: StoragePort): Promise<RunRecord[]> {
  return store.listRuns({ statuses: ['PENDING', 'RUNNING', 'WAITING_ON_WORKERS'], limit: 100 });
}

async function runToResume(
  store: StoragePort,
  runId: number,
  interrupted: readonly RunRecord[],
): Promise<RunRecord> {
  const run = interrupted.find(({ id }) => id === runId);
  if (run) return run;
  const { status } = await store.getRun(runId);
  throw new YeeterError('USAGE', `--resume ${runId}: run ${runId} was not interrupted, it is ${status}`);
}

function sayInterrupted(runs: readonly RunRecord[], say: (line: string) => void): void {
  for (const { id, template, patientCount } of runs) {
    say(
      `run ${id} (${template.name}, ${patientCount} patients) was interrupted: --resume ${id} goes on with it`,
    );
  }
}

async function inOutDir<T>(outDir: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new YeeterError('USAGE', `--out ${outDir}: the folder cannot be made: ${reason}`, { cause });
  }
}

interface WatchOptions {
  quiet: boolean;
  interrupted: AbortSignal;
}

/** Shows the progress until the run is over, and stops it when it is interrupted. */
async function watch(embedded: EmbeddedRun, run: RunRecord, options: WatchOptions): Promise<EmbeddedEnd> {
  const { quiet, interrupted } = options;
  const display = quiet
    ? null
    : createProgressDisplay({ stream: process.stderr, patientCount: run.patientCount, nowMs: Date.now });
  embedded.onMessage((message) => {
    if (message.type === 'drawing') display?.drawing(message.drawn, message.underWay);
    else display?.update(message.progress);
  });
  const stop = (): void => {
    display?.end();
    process.stderr.write('stopping: no further patient starts; those in flight are finished or cut off\n');
    embedded.stop();
  };
  if (interrupted.aborted) stop();
  else interrupted.addEventListener('abort', stop, { once: true });
  try {
    return await embedded.ended;
  } finally {
    interrupted.removeEventListener('abort', stop);
    display?.end();
  }
}

/** @param outDir null when the files could not be written */
function present(report: RunReport, outDir: string | null, options: BenchOptions): void {
  if (options.json) process.stdout.write(`${JSON.stringify(report.json, null, 2)}\n`);
  else if (!options.quiet) process.stdout.write(`${formatSummary(report, outDir)}\n`);
  if (report.fault) process.stderr.write(`yeeter: ${report.fault.code}: ${report.fault.message}\n`);
}
