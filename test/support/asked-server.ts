import assert from 'node:assert/strict';
import { type Closeable, delay } from '../../src/lib/lifecycle.ts';
import type { CliRun } from './cli.ts';
import { BENCH_ADMIN, type DurableBench } from './durable.ts';

/** A `yeeter api` that an administrator asks without pause for the figures of the newest run. */
export interface AskedServer extends Closeable {
  readonly answers: number;
  /** Kills it while it is being asked, and starts another. */
  kill(): Promise<void>;
  /** What it says of a run, in the words of the contract; asked until it answers. */
  figuresOf(runId: number): Promise<Record<string, unknown>>;
}

const PAUSE_MS = 20;

export async function askServer(bench: DurableBench): Promise<AskedServer> {
  let server = await bench.startServer();
  const signedIn = await fetch(`${server.url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(BENCH_ADMIN),
  });
  const { access_token: token } = (await signedIn.json()) as { access_token: string };
  let answers = 0;
  /** Null where it is being killed, or what it needs is away. */
  const ask = async (path: string): Promise<unknown> => {
    try {
      const response = await fetch(`${server.url}/api${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (!response.ok) {
        assert.equal(response.status, 503, await response.text());
        return null;
      }
      answers++;
      return await response.json();
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return null;
    }
  };
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) {
      await ask('/metrics/runs?limit=1');
      await delay(PAUSE_MS, over.signal);
    }
  })();
  asking.catch(() => {});
  const end = async ({ process: child, ended }: CliRun): Promise<void> => {
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    assert.equal(code, 0, stderr);
  };
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    over.abort();
    closing ??= asking.then(() => end(server.run));
    return closing;
  };
  return {
    get answers() {
      return answers;
    },
    kill: async () => {
      const { run } = server;
      run.process.kill('SIGKILL');
      const { signal, stderr } = await run.ended;
      assert.equal(signal, 'SIGKILL', `a server had ended by itself: ${stderr}`);
      server = await bench.startServer();
    },
    figuresOf: async (runId) => {
      for (;;) {
        const answer = await ask(`/simulator/runs/${runId}/metrics`);
        if (answer) return answer as Record<string, unknown>;
        await delay(PAUSE_MS);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
