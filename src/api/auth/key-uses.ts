import type { Clock } from '../../lib/clock.ts';
import type { Closeable } from '../../lib/lifecycle.ts';
import type { ServerStore } from '../../storage/server-port.ts';

export interface KeyUses extends Closeable {
  used(keyId: number): void;
}

export interface KeyUsesOptions {
  store: Pick<ServerStore, 'touchApiKeys'>;
  clock: Clock;
  log: (line: string) => void;
  /** @default 5000 */
  intervalMs?: number;
}

/** Remembers when keys were used and writes it down once in a while, not with every request. */
export function createKeyUses({ store, clock, log, intervalMs = 5000 }: KeyUsesOptions): KeyUses {
  let uses = new Map<number, number>();
  const flush = async (): Promise<void> => {
    if (uses.size === 0) return;
    const batch = [...uses].map(([keyId, usedAtMs]) => ({ keyId, usedAtMs }));
    uses = new Map();
    try {
      await store.touchApiKeys(batch);
    } catch (error) {
      log(`the last use of ${batch.length} API keys could not be written: ${String(error)}`);
    }
  };
  const timer = setInterval(() => void flush(), intervalMs);
  timer.unref();
  const close = async (): Promise<void> => {
    clearInterval(timer);
    await flush();
  };
  return {
    used: (keyId) => void uses.set(keyId, clock.nowMs()),
    close,
    [Symbol.asyncDispose]: close,
  };
}
