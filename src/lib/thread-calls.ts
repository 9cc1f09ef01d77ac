import type { MessagePort } from 'node:worker_threads';
import { type ErrorCode, toYeeterError, YeeterError } from './errors.ts';

/** Methods that another thread may call; arguments and results are cloned. */
export type ThreadMethods = Readonly<Record<string, (...parameters: never[]) => Promise<unknown>>>;

interface Call {
  id: number;
  method: string;
  parameters: readonly unknown[];
}

/** An error as it crosses threads; structured clone would keep neither class nor code. */
interface PlainError {
  code: ErrorCode;
  message: string;
  retryable: boolean;
}

type Answer = { id: number } & ({ value: unknown } | { error: PlainError });

/** Answers the calls that come over a port. */
export function answerCalls(port: MessagePort, methods: ThreadMethods): void {
  port.on('message', async ({ id, method, parameters }: Call) => {
    let answer: Answer;
    try {
      answer = { id, value: await methods[method]!(...(parameters as never[])) };
    } catch (thrown) {
      const { code, message, retryable } = toYeeterError(thrown);
      answer = { id, error: { code, message, retryable } };
    }
    port.postMessage(answer);
  });
}

/**
 * The methods of the other end of a port. Calls fail with INTERNAL once that is gone; the port holds the process only
 * while an answer is awaited.
 */
export function callOver<Methods extends ThreadMethods>(
  port: MessagePort,
  names: readonly (keyof Methods & string)[],
): Methods {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let nextId = 1;
  let gone = false;
  const settled = (id: number): PromiseWithResolvers<unknown> | undefined => {
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) port.unref();
    return waiter;
  };
  const end = (): YeeterError => new YeeterError('INTERNAL', 'the thread that was asked has ended');

  port.on('message', (answer: Answer) => {
    const waiter = settled(answer.id);
    if ('value' in answer) waiter?.resolve(answer.value);
    else {
      const { code, message, retryable } = answer.error;
      waiter?.reject(new YeeterError(code, message, { retryable }));
    }
  });
  port.on('close', () => {
    gone = true;
    for (const id of [...waiting.keys()]) settled(id)?.reject(end());
  });
  port.unref();

  const call = (method: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (gone) return Promise.reject(end());
    const waiter = Promise.withResolvers<unknown>();
    const id = nextId++;
    waiting.set(id, waiter);
    port.ref();
    port.postMessage({ id, method, parameters } satisfies Call);
    return waiter.promise;
  };
  return Object.fromEntries(
    names.map((name) => [name, (...parameters: unknown[]) => call(name, parameters)]),
  ) as unknown as Methods;
}
