/**
 * Entry of the npm scripts: sets the clone up where needed, then runs the wanted program with Node 24.
 * Usage: node scripts/run.mjs COMMAND [ARGUMENT...]; without a command it only sets up.
 */
import path from 'node:path';
import { root, runWithNode, setUp } from './setup.mjs';

/** The program of each npm script, and the arguments that stand before those of the person. */
const COMMANDS = {
  bench: (args) => ['src/cli/main.ts', 'bench', ...args],
  build: (args) => ['scripts/build.ts', ...args],
  check: (args) => ['scripts/check.ts', ...args],
  services: (args) => ['scripts/services.ts', ...args],
  soak: (args) => ['scripts/soak.ts', ...args],
  test: (args) => ['scripts/test.ts', ...args],
};

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  setUp();
} else if (Object.hasOwn(COMMANDS, name)) {
  const [script, ...rest] = COMMANDS[name](args);
  await runWithNode(path.join(root, script), rest);
} else {
  console.error(`unknown command "${name}": one of ${Object.keys(COMMANDS).join(', ')}`);
  process.exitCode = 2;
}
