import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunDetail, RunEvent, RunStats } from './answers.ts';
import type { OutputFormat } from './output.ts';
import { createRunDisplay, endLine, eventLine, figuresLine } from './run-display.ts';
import type { RunFigures } from './run-figures.ts';

const FIGURES: RunFigures = {
  patients: 500,
  patientsBegun: 120,
  jobs: 119,
  jobsDone: 100,
  failures: 2,
  queueDepth: 7,
  workers: 3,
  averageJobMs: 12.34,
};

const EVENT: RunEvent = {
  id: 1,
  timestamp: '2026-01-05T07:00:00.000Z',
  step_order: 2,
  iteration: 12,
  status: 'FAILURE',
  details: 'refused',
};

const STATS = {
  run_id: 7,
  status: 'ERROR',
  patient_count: 500,
  duration_seconds: 12.34,
  failure_events: 2,
  warning_events: 0,
  last_failure: { details: 'AE\x1b[2J: refused' },
} as unknown as RunStats;

const RUNNING = { status: 'RUNNING' } as RunDetail;

function display(options: { format?: OutputFormat; isTTY?: boolean; showEvents?: boolean }) {
  const written = { out: '', err: '' };
  const clock = { ms: 0 };
  const stream = (name: keyof typeof written) =>
    ({
      isTTY: options.isTTY ?? false,
      columns: 60,
      write: (text: string) => {
        written[name] += text;
        return true;
      },
    }) as unknown as NodeJS.WriteStream;
  const shown = createRunDisplay({
    runId: 7,
    format: options.format ?? 'table',
    showEvents: options.showEvents ?? true,
    out: stream('out'),
    err: stream('err'),
    nowMs: () => clock.ms,
  });
  return { shown, written, clock };
}

describe('what is shown of a run', () => {
  it('says of an event when and where it was, and of what', () => {
    assert.equal(eventLine(EVENT), '2026-01-05T07:00:00.000Z  FAILURE  patient 12 step 2: refused');
    const ofRun = { ...EVENT, iteration: 0, step_order: 999, status: 'INFO', details: 'a\nb' };
    assert.equal(eventLine(ofRun), '2026-01-05T07:00:00.000Z  INFO     run: a b');
  });

  it('says how far a run is and leaves out what is not known', () => {
    assert.equal(
      figuresLine(FIGURES),
      '120/500 patients begun 24 % | 100/119 jobs done | 12.3 ms a job | 7 queued | 3 workers | 2 failure events',
    );
    const inline = { ...FIGURES, jobs: 0, workers: null, averageJobMs: null };
    assert.equal(figuresLine(inline), '120/500 patients begun 24 % | 2 failure events');
  });

  it('sums up at the end, with the last failure', () => {
    assert.equal(
      endLine(STATS),
      'run 7 ERROR after 12 s: 500 patients, 2 failure events, 0 warnings\nlast failure: AE [2J: refused',
    );
  });

  it('writes plain lines to a pipe, and progress every ten seconds', () => {
    const { shown, written, clock } = display({});
    shown.status(RUNNING);
    for (clock.ms = 1000; clock.ms <= 25_000; clock.ms += 1000) shown.progress(FIGURES);
    shown.event(EVENT);
    shown.end(STATS);
    assert.deepEqual(written.out.split('\n').slice(0, 2), ['run 7 is RUNNING', eventLine(EVENT)]);
    assert.match(written.err, /^(run 7 \| 120\/500 [^\r\n]*\n){2}$/);
  });

  it('rewrites one line of progress below the events on a terminal, no longer than it is wide', () => {
    const { shown, written } = display({ isTTY: true });
    shown.progress(FIGURES);
    shown.event(EVENT);
    shown.end(STATS);
    const line = `run 7 | ${figuresLine(FIGURES)}`.slice(0, 59);
    assert.equal(written.err, `\r\x1b[2K${line}\r\x1b[2K${line}\r\x1b[2K`);
    assert.match(written.out, /^2026.*refused\nrun 7 ERROR/);
  });

  it('shows no events when only the end is waited for', () => {
    const { shown, written } = display({ showEvents: false });
    shown.event(EVENT);
    shown.status(RUNNING);
    shown.end(STATS);
    assert.match(written.out, /^run 7 ERROR/);
  });

  it('writes one JSON object a line for programs, the same progress once', () => {
    const { shown, written } = display({ format: 'json' });
    shown.status(RUNNING);
    shown.event(EVENT);
    shown.progress(FIGURES);
    shown.progress({ ...FIGURES });
    shown.note('for people');
    shown.end(STATS);
    const lines = written.out.trimEnd().split('\n');
    const objects = lines.map((line) => JSON.parse(line) as { type: string; run_id: number });
    assert.deepEqual(
      objects.map(({ type, run_id: runId }) => [type, runId]),
      [
        ['status', 7],
        ['event', 7],
        ['progress', 7],
        ['end', 7],
      ],
    );
    assert.equal(written.err, 'for people\n');
  });
  it('writes one CSV for spreadsheets, its header once', () => {
    const { shown, written } = display({ format: 'csv' });
    shown.status(RUNNING);
    shown.event({ ...EVENT, details: '=1+1, "refused"\n' });
    shown.progress(FIGURES);
    shown.note('for people');
    shown.end({ ...STATS, completed_at: '2026-01-05T08:00:00.000Z' });
    assert.equal(
      written.out,
      [
        'type,run_id,timestamp,iteration,step_order,status,details',
        'status,7,,,,RUNNING,',
        `event,7,2026-01-05T07:00:00.000Z,12,2,FAILURE,"'=1+1, ""refused"" "`,
        'end,7,2026-01-05T08:00:00.000Z,,,ERROR,AE [2J: refused',
        '',
      ].join('\r\n'),
    );
    assert.equal(written.err, 'for people\n');
  });
});
