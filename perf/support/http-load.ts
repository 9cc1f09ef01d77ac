import { Agent, get } from 'node:http';

/** A client in a process of its own: asks one address as fast as its connections can, and tells how long answers took. */
export interface HttpLoad {
  url: string;
  token: string | null;
  connections: number;
  seconds: number;
}

export interface HttpLoadResult {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  megabytesPerSecond: number;
  /** Answers of another status than 200. */
  refused: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1000 });

/** @returns the bytes of the answer; null when it was none of success */
function ask(url: string, token: string | null): Promise<number | null> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => resolve(response.statusCode === 200 ? bytes : null));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

async function run({ url, token, connections, seconds }: HttpLoad): Promise<HttpLoadResult> {
  const times: number[] = [];
  let bytes = 0;
  let refused = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  const connection = async (): Promise<void> => {
    do {
      const askedAt = performance.now();
      const got = await ask(url, token);
      times.push(performance.now() - askedAt);
      if (got === null) refused++;
      else bytes += got;
    } while (performance.now() < endsAt);
  };
  await Promise.all(Array.from({ length: connections }, connection));
  const elapsed = (performance.now() - startedAt) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))]!;
  return {
    perSecond: times.length / elapsed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    megabytesPerSecond: bytes / 1e6 / elapsed,
    refused,
  };
}

process.on('message', (load: HttpLoad) => {
  void run(load).then((result) => process.send?.(result));
});
process.send?.('ready');
