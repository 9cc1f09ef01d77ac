import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineProgress } from '../roles/engine-protocol.ts';
import { createProgressDisplay, progressLine } from './progress.ts';

const NONE: EngineProgress = {
  started: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  inFlight: 0,
  orders: 0,
  instances: 0,
  bytes: 0,
};

const BEGUN = { ...NONE, started: 16, inFlight: 16 };

/** A stream that keeps what is written, and a clock to set. */
function fakeTerminal(isTTY: boolean) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const stream = { isTTY, columns: 60, write: (text: string) => written.push(text) };
  const display = createProgressDisplay({
    stream: stream as unknown as NodeJS.WriteStream,
    patientCount: 1000,
    nowMs: () => clock.ms,
  });
  return { written, clock, display };
}

describe('progress', () => {
  it('says what is done, at what rates, and how long the rest takes', () => {
    const later = {
      ...NONE,
      completed: 90,
      failed: 10,
      inFlight: 16,
      orders: 100,
      instances: 1000,
      bytes: 5e8,
    };
    assert.equal(
      progressLine(
        [
          { atMs: 0, progress: NONE },
          { atMs: 2000, progress: later },
        ],
        1000,
      ),
      '100/1,000 patients 10 % | 50.0 orders/s | 500 images/s | 250 MB/s | 16 in flight | 10 failed | 18 s left',
    );
    assert.match(progressLine([{ atMs: 0, progress: NONE }], 1000), /time unknown left$/);
  });

  it('rewrites one line on a terminal, no longer than it is wide, and clears it', () => {
    const { written, clock, display } = fakeTerminal(true);
    for (clock.ms = 250; clock.ms <= 1000; clock.ms += 250) display.update(BEGUN);
    display.end();
    assert.equal(written.length, 5);
    for (const text of written)
      assert.ok(text.startsWith('\r\x1b[2K') && text.length <= 5 + 59 && !text.includes('\n'));
    assert.equal(written.at(-1), '\r\x1b[2K');
  });

  it('writes a line every ten seconds elsewhere', () => {
    const { written, clock, display } = fakeTerminal(false);
    for (clock.ms = 250; clock.ms <= 25_000; clock.ms += 250) display.update(BEGUN);
    display.end();
    assert.equal(written.length, 2);
    for (const text of written) assert.match(text, /^0\/1,000 patients [^\r]*\n$/);
  });
});
