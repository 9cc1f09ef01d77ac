import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRecord } from '../storage/port.ts';

type NumberedRun = Pick<RunRecord, 'id' | 'createdAtMs'>;

/** Says whose a folder is: every ledger counts its runs from 1. */
const OWNER_FILE = '.run';

const owner = ({ id, createdAtMs }: NumberedRun): string =>
  `run ${id} of ${new Date(createdAtMs).toISOString()}\n`;

/** Makes `run-7`, or `run-7-2` and so on: never a folder that was there before. */
export async function newRunFolder(base: string, run: NumberedRun): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const folder = join(base, attempt === 1 ? `run-${run.id}` : `run-${run.id}-${attempt}`);
    try {
      await mkdir(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    await writeFile(join(folder, OWNER_FILE), owner(run));
    return folder;
  }
}

/** The folder that the run had before it was interrupted; a new one when that is gone. */
export async function runFolderOf(base: string, run: NumberedRun): Promise<string> {
  for (const name of await readdir(base)) {
    const found = await readFile(join(base, name, OWNER_FILE), 'utf8').catch(() => null);
    if (found === owner(run)) return join(base, name);
  }
  return newRunFolder(base, run);
}
