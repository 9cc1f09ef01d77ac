import type { OnNotice } from './broker-connection.ts';

/**
 * For several connections to one broker: what befalls all of them is told once, and that it is over when it is over for
 * the last.
 * @returns gives each connection what it is to tell
 */
export function toldOnce(onNotice: OnNotice): () => OnNotice {
  const lost = new Set<OnNotice>();
  let lastReason: string | null = null;
  return () => {
    const tell: OnNotice = (notice) => {
      if (notice.kind === 'connection_lost') {
        lost.add(tell);
        if (notice.message === lastReason) return;
        lastReason = notice.message;
      } else if (notice.kind === 'connected') {
        lost.delete(tell);
        if (lost.size > 0) return;
        lastReason = null;
      }
      onNotice(notice);
    };
    return tell;
  };
}
