#!/usr/bin/env node
/**
 * The command `yeeter`: the sources in a clone (which it sets up when need be), the compiled code in an
 * installed package. Plain JavaScript that any Node from 20 on can read, so that an older one gets a clear answer.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** See `src/lib/self-command.ts`. */
const NODE_FLAGS = ['--semi-space-growth-factor=4'];
for (const flag of NODE_FLAGS) setFlagsFromString(flag);

const source = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

if (existsSync(source)) {
  const { runWithNode } = await import('../scripts/setup.mjs');
  await runWithNode(source, process.argv.slice(2), NODE_FLAGS);
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `yeeter: Node 24 or newer is needed and this is ${process.version}: install it and try again`,
  );
  process.exitCode = 1;
} else {
  await import('../dist/cli/main.js');
}
