import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Connection } from 'rabbitmq-client';
import { DEFAULT_MAX_LENGTH, deadLetterDeclaration, workDeclaration } from '../../src/queue/topology.ts';

const CONSUMER = fileURLToPath(new URL('./bare-consumer.ts', import.meta.url));
const IN_FLIGHT = 256;

/** An attempt's row, all of whose values but the job's id are constants. */
export const BARE_ATTEMPTS =
  'insert into job_attempts (run_id, job_id, attempt, queue, outcome, duration_us, steps_executed, remaining_steps, ' +
  'patient_iteration, repeat_iteration, worker_id, possibly_repeated, created_at_ms) select 1000000, job_id, 1, ' +
  "'bare', 'success', 1, 1, 0, 1, 0, 'bare', false, 1 from unnest($1::uuid[]) as batch (job_id)";

export interface BareConsumerOptions {
  databaseUrl: string;
  queueUrl: string;
  queue: string;
  prefetch: number;
  hurries: boolean;
}

export type BareConsumerSays = 'ready' | { ended: number };

export interface BareLoad {
  databaseUrl: string;
  queueUrl: string;
  /** Consumer processes. */
  consumers: number;
  prefetch: number;
  /** Inserts as soon as the queue gives no more before it does, in place of after 5 ms. */
  hurries: boolean;
  jobs: number;
  body: Buffer;
}

/**
 * What broker and database bear when nobody looks at a job: the same bytes published confirmed, consumed, an attempt's
 * row inserted, acknowledged.
 * @returns jobs a second, from the first publish to the last acknowledgement
 */
export async function barePipelineRate(load: BareLoad): Promise<number> {
  const { databaseUrl, queueUrl, prefetch, hurries, jobs, body } = load;
  const queue = 'bare';
  const connection = new Connection({ url: queueUrl, noDelay: true });
  const channel = await connection.acquire();
  await channel.queueDeclare({ ...deadLetterDeclaration(queue) });
  await channel.queueDeclare({ ...workDeclaration(queue, DEFAULT_MAX_LENGTH) });
  await channel.confirmSelect();
  const options: BareConsumerOptions = { databaseUrl, queueUrl, queue, prefetch, hurries };
  const children = Array.from({ length: load.consumers }, () => fork(CONSUMER, [JSON.stringify(options)]));
  await Promise.all(children.map((child) => once(child, 'message')));

  const all = Promise.withResolvers<void>();
  let ended = 0;
  for (const child of children) {
    child.on('message', (said: { ended: number }) => {
      ended += said.ended;
      if (ended >= jobs) all.resolve();
    });
    child.on('exit', () => all.reject(new Error('a bare consumer ended early')));
  }
  const envelope = {
    routingKey: queue,
    mandatory: true,
    durable: true,
    contentType: 'application/json',
    contentEncoding: 'utf-8',
  };
  const startedMs = performance.now();
  let next = 0;
  const publisher = async (): Promise<void> => {
    while (next++ < jobs) await channel.basicPublish(envelope, body);
  };
  await Promise.all([all.promise, ...Array.from({ length: IN_FLIGHT }, publisher)]);
  const tookMs = performance.now() - startedMs;
  for (const child of children) {
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
  }
  await channel.close();
  await connection.close();
  return (jobs * 1000) / tookMs;
}
