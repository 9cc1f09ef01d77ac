import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Argument, Command, Option } from 'commander';
import { bashCompletion } from './bash.ts';
import { commandWords } from './command-words.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

function program(): Command {
  const yeeter = new Command('yeeter').addOption(new Option('--server <url>').hideHelp());
  const runs = yeeter.command('runs').description('the server\'s runs: $HOME `x` "y" 100%');
  runs
    .command('list')
    .addOption(new Option('--output, --format <format>', 'how').choices(['table', 'json', 'csv']))
    .option('-n, --limit <count>', 'so many')
    .option('--all', 'everything')
    .option('--dir [dir]', 'a folder');
  runs.command('start').argument('[template]').option('--watch', 'to its end');
  yeeter.command('check').addArgument(new Argument('<file>'));
  return yeeter;
}

const tree = commandWords(program());

/** What bash offers after a line; the last word is the one under the cursor. */
function offered(line: string): string[] {
  const words = line
    .split(' ')
    .flatMap((word) => word.split(/(=)/).filter((part, at) => at === 0 || part !== ''));
  const array = words.map((word) => `'${word}'`).join(' ');
  const script = `${bashCompletion(tree)}
    COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}
    _yeeter; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['--norc', '-eu', '-o', 'pipefail', '-c', `set +eu; ${script}`],
    {
      encoding: 'utf8',
    },
  );
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.split('\n').filter(Boolean);
}

const without = (shell: string): string | false =>
  spawnSync(shell, ['-c', 'exit 0']).status === 0 ? false : `${shell} is not installed`;

describe('completion of bash', () => {
  const LINES: readonly [line: string, words: string[]][] = [
    ['yeeter ', ['runs', 'check', 'help']],
    ['yeeter ru', ['runs']],
    ['yeeter runs ', ['list', 'start', 'help']],
    ['yeeter --server http://h runs l', ['list']],
    ['yeeter runs list --', ['--output', '--format', '--limit', '--all', '--dir', '--help']],
    ['yeeter runs list ', ['--output', '--format', '-n', '--limit', '--all', '--dir', '-h', '--help']],
    ['yeeter runs list --format ', ['table', 'json', 'csv']],
    ['yeeter runs list --all --output j', ['json']],
    ['yeeter runs list --format=', ['table', 'json', 'csv']],
    ['yeeter runs list --format=c', ['csv']],
    ['yeeter runs list -n ', []],
    ['yeeter runs list -n 3 --a', ['--all']],
    ['yeeter runs list --limit=3 --a', ['--all']],
    ['yeeter runs start --w', ['--watch']],
    ['yeeter runs start ', []],
    ['yeeter check ', []],
    ['yeeter nonsense ', ['runs', 'check', 'help']],
    ['yeeter --s', []],
  ];
  for (const [line, words] of LINES) {
    it(`offers ${words.join(' ') || 'files'} after "${line}"`, () => assert.deepEqual(offered(line), words));
  }
});

describe('completion scripts', () => {
  for (const [shell, script] of [
    ['bash', bashCompletion(tree)],
    ['zsh', zshCompletion(tree)],
    ['fish', fishCompletion(tree)],
  ] as const) {
    it(`are ${shell}`, { skip: without(shell) }, () => {
      const { status, stderr } = spawnSync(shell, ['-n', '-c', script], { encoding: 'utf8' });
      assert.deepEqual([status, stderr], [0, '']);
    });
  }

  it('offer to fish what is typed after a command', { skip: without('fish') }, () => {
    const complete = (line: string): string[] => {
      const asked = `complete -C '${line}'`;
      const { stdout } = spawnSync('fish', ['--no-config', '-c', `${fishCompletion(tree)}\n${asked}`], {
        encoding: 'utf8',
      });
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((word) => word.split('\t')[0]!);
    };
    assert.deepEqual(complete('yeeter runs ').toSorted(), ['help', 'list', 'start']);
    assert.deepEqual(complete('yeeter --server x runs list --format j'), ['json']);
  });
});
