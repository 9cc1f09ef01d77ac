import { fileURLToPath } from 'node:url';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import { startChild, untilReady } from './child.ts';
import { PYTHON } from './programs.ts';

const SCRIPT = fileURLToPath(new URL('./hl7-receiver.py', import.meta.url));

/** An MLLP receiver on python-hl7, which parses each message with its own parser and answers AA. */
export interface Hl7Receiver extends Closeable {
  readonly host: string;
  readonly port: number;
  /** Messages received so far. */
  count(): Promise<number>;
}

export interface Hl7ReceiverOptions {
  /** Every message is appended to this file, in its MLLP frame, in UTF-8. */
  keepFile?: string;
}

export async function startPythonHl7Receiver(options: Hl7ReceiverOptions = {}): Promise<Hl7Receiver> {
  const child = startChild(PYTHON, [SCRIPT, ...(options.keepFile === undefined ? [] : [options.keepFile])]);
  await untilReady(child, () => /^port \d+\n/m.test(child.output()));
  const counts = (): string[] => child.output().match(/(?<=^count )\d+(?=\n)/gm) ?? [];
  const close = (): Promise<void> => child.stop();
  return {
    host: '127.0.0.1',
    port: Number(/^port (\d+)$/m.exec(child.output())?.[1]),
    count: async () => {
      const before = counts().length;
      child.process.kill('SIGUSR1');
      await untilReady(child, () => counts().length > before);
      return Number(counts().at(-1));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
