import { YeeterError } from '../../lib/errors.ts';

/** @throws {YeeterError} REQUEST_TIMEOUT; what was begun goes on by itself */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const seconds = Math.round(limitMs / 1000);
    const error = new YeeterError('REQUEST_TIMEOUT', `no answer within ${seconds} s: ask for less, or later`);
    timer = setTimeout(() => reject(error), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
