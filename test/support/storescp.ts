import { mkdirSync } from 'node:fs';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import { listens, onFreePort, startChild, untilReady } from './child.ts';

/** DCMTK's storage receiver: accepts any called AE title and every storage class it knows. */
export interface Storescp extends Closeable {
  readonly host: string;
  readonly port: number;
  output(): string;
}

export interface StorescpOptions {
  /** Folder for what it receives; without one it drops everything, which is what speed is measured with. */
  keepDir?: string;
  /** More options of `storescp`, such as `--abort-after`. */
  args?: readonly string[];
}

export function startStorescp(options: StorescpOptions = {}): Promise<Storescp> {
  if (options.keepDir !== undefined) mkdirSync(options.keepDir, { recursive: true });
  const keep = options.keepDir === undefined ? ['--ignore'] : ['--output-directory', options.keepDir];
  return onFreePort(async (port) => {
    const child = startChild(
      '/usr/bin/storescp',
      ['--fork', ...keep, '--max-pdu', '131072', ...(options.args ?? []), String(port)],
      // Without it Nagle's algorithm holds back each response by some 40 ms.
      { env: { TCP_NODELAY: '1' } },
    );
    await untilReady(child, () => listens(port));
    const close = (): Promise<void> => child.stop();
    return { host: '127.0.0.1', port, output: child.output, close, [Symbol.asyncDispose]: close };
  });
}
