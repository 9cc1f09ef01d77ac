import { fileURLToPath } from 'node:url';

/**
 * Grows the young heap in few steps, before there is load; `bin/yeeter.js` does the same. By default it doubles so late
 * that what a job allocates is moved to the old heap: a worker then spends twice the time on collecting garbage, and a
 * third more memory. It has to be so from the start of a process.
 */
const NODE_FLAGS = ['--semi-space-growth-factor=4'];

/** How to start this program again as a child process: its Node and the entry of its command line. */
export interface SelfCommand {
  command: string;
  args: readonly string[];
}

/** From a clone that is the TypeScript source, from a package the compiled file; both in the same place. */
export function selfCommand(): SelfCommand {
  const main = `../cli/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`;
  const entry = fileURLToPath(new URL(main, import.meta.url));
  return { command: process.execPath, args: [...NODE_FLAGS, entry] };
}
