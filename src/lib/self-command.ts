import { fileURLToPath } from 'node:url';

/** How to start this program again as a child process: its Node and the entry of its command line. */
export interface SelfCommand {
  command: string;
  args: readonly string[];
}

/** From a clone that is the TypeScript source, from a package the compiled file; both in the same place. */
export function selfCommand(): SelfCommand {
  const main = `../cli/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`;
  return { command: process.execPath, args: [fileURLToPath(new URL(main, import.meta.url))] };
}
