/**
 * Set-up of a clone: the packages of the lock file and the Node that the project runs on. Plain JavaScript that
 * any Node from 20 on runs with nothing installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The oldest Node whose type stripping and APIs the sources rely on. */
const NODE_MAJOR = 24;

export const root = fileURLToPath(new URL('..', import.meta.url));
const modules = path.join(root, 'node_modules');
const pinnedNode = path.join(modules, 'node', 'bin', 'node');

const runsHere = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR;

/** Installs what is missing and returns the Node to run the project with; ends the process where it cannot. */
export function setUp() {
  if (!isInstalled()) install();
  if (runsHere) return process.execPath;
  if (existsSync(pinnedNode)) return pinnedNode;
  return giveUp(
    `Node ${NODE_MAJOR} is not in node_modules/node and this is ${process.version}: ` +
      'run "npm rebuild node", or install Node 24, and try again',
  );
}

function giveUp(reason) {
  console.error(`Set-up failed: ${reason}`);
  process.exit(1);
}

/**
 * Runs a script with the right Node: here when this one will do, so that no process stands in between. The sources are
 * stripped of their types and compiled once, not by each process that starts.
 * @param flags of another Node that is started for it; whoever runs here sets them before
 */
export async function runWithNode(script, args, flags = []) {
  const node = setUp();
  process.env.NODE_COMPILE_CACHE ??= path.join(modules, '.cache', 'compiled');
  if (runsHere) {
    module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
    process.argv = [process.execPath, script, ...args];
    await import(pathToFileURL(script).href);
    return;
  }
  const child = spawn(node, [...flags, script, ...args], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the whole group, the child included: passing it on would count it twice.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`${node} did not start: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** True when every package of the lock file that this platform needs is installed in the locked version. */
function isInstalled() {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const present = readPackages(path.join(modules, '.package-lock.json'));
  return (
    (runsHere || existsSync(pinnedNode)) &&
    Object.entries(wanted).every(
      ([name, entry]) => name === '' || entry.optional || present[name]?.version === entry.version,
    )
  );
}

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

function install() {
  console.error('Set-up: installing the packages and Node 24 into node_modules (once; a minute or less)...');
  // `npm ci` refuses a lock file without the optional packages of other platforms, which some registries lack.
  const first = npm('ci');
  if (first.status === 0) return;
  const second = npm('install');
  if (second.status === 0) return;
  const said = `${first.stderr ?? first.error}\n${second.stderr ?? second.error}`;
  giveUp(`the packages could not be installed; "npm ci" and "npm install" said:\n${said}`);
}

function npm(command) {
  // Without our own .bin folder in PATH, npm does not run on the Node that it is about to replace.
  const PATH = (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.startsWith(modules))
    .join(path.delimiter);
  return spawnSync('npm', [command, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env: { ...process.env, PATH },
    encoding: 'utf8',
    shell: process.platform === 'win32',
    maxBuffer: 64 * 2 ** 20,
  });
}
