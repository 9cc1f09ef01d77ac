/** Compiles the sources to JavaScript for the published package, and copies what the compiler leaves out. */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const compiled = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (compiled.status === 0) {
  const isAsset = (name: string): boolean => path.extname(name) !== '' && !name.endsWith('.ts');
  for (const asset of globSync('**/*', { cwd: path.join(root, 'src') }).filter(isAsset)) {
    cpSync(path.join(root, 'src', asset), path.join(dist, asset));
  }
} else {
  process.exitCode = 1;
}
