import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { delay } from '../../src/lib/lifecycle.ts';

const PREFIX = 'yeeter-test-';
/** With the process that made it; other names of that prefix are a test's own, and may begin with digits too. */
const STALE = /^yeeter-test-(\d+)-/;

/** A new folder that names the process which made it, so that a later session can tell it is stale. */
export function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), `${PREFIX}${process.pid}-`));
}

/** Removes the folders of sessions that ended without doing so themselves. */
export function removeStaleFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = Number(STALE.exec(name)?.[1] ?? 0);
    if (owner > 0 && !isAlive(owner)) rmSync(path.join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A service that runs as a child of this process and cannot outlive it. */
export interface ServiceChild {
  readonly process: ChildProcess;
  /** All that it has written so far, both streams. */
  output(): string;
  /** Resolves once it has ended, after `signal`; killed when it takes longer than 10 s. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** `setpriv` lets the kernel kill the child with its parent, even when the parent is killed itself. */
const SETPRIV = '/usr/bin/setpriv';

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export interface ServiceOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Run as this user, when we are root. */
  user?: string;
}

export function startChild(
  command: string,
  args: readonly string[],
  options: ServiceOptions = {},
): ServiceChild {
  const user =
    options.user === undefined
      ? []
      : [`--reuid=${options.user}`, `--regid=${options.user}`, '--clear-groups'];
  const spawnOptions: SpawnOptions = {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  };
  const child = existsSync(SETPRIV)
    ? spawn(SETPRIV, ['--pdeathsig', 'KILL', ...user, command, ...args], spawnOptions)
    : spawn(command, args, spawnOptions);
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-100_000);
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      output += error.message;
      children.delete(child);
      resolve();
    });
    child.on('exit', () => {
      children.delete(child);
      resolve();
    });
  });
  return {
    process: child,
    output: () => output,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Waits until `ready` says so; fails with the output of the child when that ends or stays silent before. */
export async function untilReady(
  child: ServiceChild,
  ready: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (true) {
    const { exitCode, signalCode, pid } = child.process;
    if (exitCode !== null || signalCode !== null || pid === undefined) {
      throw new Error(`${child.process.spawnargs.join(' ')} ended before it was ready:\n${child.output()}`);
    }
    if (await ready()) return;
    if (performance.now() > deadline) {
      await child.stop('SIGKILL');
      throw new Error(`${child.process.spawnargs.join(' ')} was not ready in time:\n${child.output()}`);
    }
    await delay(25);
  }
}

export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/**
 * Starts a program that has to be told its port. The port lies below the range from which the kernel serves
 * clients, and another is tried when the program ends at once, since somebody may have taken it meanwhile.
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return await start(port);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  while (true) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.on('error', () => resolve(false)).listen(port, () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
