import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HttpLoad, HttpLoadResult } from './http-load.ts';

const CLIENT = fileURLToPath(new URL('./http-load.ts', import.meta.url));

export interface HttpClient extends Disposable {
  load(load: HttpLoad): Promise<HttpLoadResult>;
}

export async function startHttpClient(): Promise<HttpClient> {
  const child = fork(CLIENT);
  await once(child, 'message');
  return {
    load: async (load) => {
      child.send(load);
      const [result] = await once(child, 'message');
      return result as HttpLoadResult;
    },
    [Symbol.dispose]: () => void child.disconnect(),
  };
}
