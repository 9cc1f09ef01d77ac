import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { YeeterError } from '../../lib/errors.ts';
import { storageError } from '../storage-error.ts';

/** What a lock file says about its holder. */
interface Holder {
  pid: number;
  /** Start of the process in ticks since boot where the system tells, so that a reused pid is not taken for it. */
  startTime: string | null;
  host: string;
  since: string;
}

/** Held until released. A process that dies leaves its file, which the next one takes over. */
export interface FolderLock {
  release(): Promise<void>;
}

const LOCK_FILE = 'lock';
const MAX_TRIES = 10;

/** Field 22 of `/proc/<pid>/stat`, counted behind the name, which may hold spaces; null where there is no /proc. */
async function processStartTime(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A holder on another machine (or in another container) cannot be asked, so it counts as alive. */
async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.host !== hostname()) return true;
  if (!exists(holder.pid)) return false;
  const startTime = await processStartTime(holder.pid);
  return holder.startTime === null || startTime === null || startTime === holder.startTime;
}

async function readHolder(path: string): Promise<{ text: string; holder: Holder | null } | null> {
  try {
    const text = await readFile(path, 'utf8');
    const parsed: unknown = JSON.parse(text || 'null');
    const valid = typeof parsed === 'object' && parsed !== null && 'pid' in parsed && 'host' in parsed;
    return { text, holder: valid ? (parsed as Holder) : null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    if (error instanceof SyntaxError) return { text: '', holder: null };
    throw error;
  }
}

function lockedError(folder: string, path: string, holder: Holder): YeeterError {
  const here = holder.host === hostname();
  const who = holder.pid === process.pid && here ? 'this process' : `process ${holder.pid}`;
  const where = here ? '' : ` on ${holder.host}`;
  const advice = here
    ? 'wait for it, stop it, or choose another folder with --data'
    : `wait for it, choose another folder with --data, or delete ${path} when you know that it is gone`;
  return new YeeterError(
    'STORAGE_LOCKED',
    `data folder ${folder} is in use by ${who}${where} since ${holder.since}: ${advice}`,
  );
}

/** Moves a dead holder's file away; when another was quicker and a live one is caught, it is put back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const caught = await readHolder(aside);
  if (caught && caught.text !== stale) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

async function tryToTake(folder: string, path: string, own: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, own);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const current = await readHolder(path);
  if (current?.holder && (await isAlive(current.holder))) throw lockedError(folder, path, current.holder);
  if (current) await removeStale(path, current.text);
  return false;
}

/**
 * Takes the folder for this process, making it where it is missing. A link appears with its content or not at
 * all, so that nobody reads half a lock.
 * @throws {YeeterError} STORAGE_LOCKED when a live process has it, STORAGE_FAILED, DISK_FULL
 */
export async function lockFolder(dataDir: string): Promise<FolderLock> {
  const folder = resolve(dataDir);
  const path = join(folder, LOCK_FILE);
  try {
    await mkdir(folder, { recursive: true });
    const holder: Holder = {
      pid: process.pid,
      startTime: await processStartTime(process.pid),
      host: hostname(),
      since: new Date().toISOString(),
    };
    const own = `${JSON.stringify({ ...holder, id: randomBytes(6).toString('hex') })}\n`;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (!(await tryToTake(folder, path, own))) continue;
      return {
        release: async () => {
          if ((await readHolder(path))?.text === own) await rm(path, { force: true });
        },
      };
    }
  } catch (error) {
    throw storageError(error, `data folder ${folder}`);
  }
  throw new YeeterError('STORAGE_LOCKED', `data folder ${folder} is being taken by others: try again`);
}
