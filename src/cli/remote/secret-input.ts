import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { YeeterError } from '../../lib/errors.ts';

/** A question on standard error, so that what a command prints stays clean. */
export function ask(question: string): Promise<string> {
  return prompt(question, process.stderr);
}

/** The same, without an echo. */
export async function askSecret(question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  // The question comes once the terminal's own echo is off.
  const answer = prompt('', silent);
  process.stderr.write(question);
  try {
    return await answer;
  } finally {
    process.stderr.write('\n');
  }
}

/** All of standard input, for secrets that a program pipes in; one line end at its end is not part of it. */
export async function secretFromStdin(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}

/** Whether somebody sits there to be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

async function prompt(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  const abort = new AbortController();
  lines.on('SIGINT', () => abort.abort());
  lines.on('close', () => abort.abort());
  try {
    return await lines.question(question, { signal: abort.signal });
  } catch (cause) {
    throw new YeeterError('CANCELLED', 'nothing was entered', { cause });
  } finally {
    lines.close();
  }
}
