import { YeeterError } from '../lib/errors.ts';
import { plural } from '../lib/plural.ts';
import type { BenchSinks } from '../queue/admin-port.ts';
import { formatCount } from './format.ts';
import type { QueueDesk } from './queue-desk.ts';
import { say } from './remote/output.ts';
import { unconsumed } from './unconsumed.ts';

export async function requeueDead(
  desk: QueueDesk,
  queue: string,
  jobIds: readonly string[] | 'all',
): Promise<void> {
  const { admin } = desk;
  const { dead } = await admin.depth(queue);
  const done = new Set<string>();
  const runs = new Set<number>();
  const benches = new Map<number, BenchSinks>();
  let requeued = 0;
  // So many are taken at a time; what dies again meanwhile is left.
  let more: number;
  do {
    const round = await admin.requeueDead(queue, jobIds);
    more = round.requeued;
    requeued += more;
    for (const id of round.jobIds) done.add(id);
    for (const id of round.runIds) runs.add(id);
    for (const sinks of round.benchSinks) benches.set(sinks.runId, sinks);
  } while (jobIds === 'all' && more > 0 && requeued < dead);
  const missing = jobIds === 'all' ? [] : jobIds.filter((id) => !done.has(id));
  if (requeued > 0) {
    const jobs = `${formatCount(requeued)} ${plural(requeued, 'job')}`;
    say(`requeued ${jobs} of ${queue}, ${plural(runs.size, 'run')} ${[...runs].join(', ')}`);
    for (const sinks of benches.values()) say(goneSinks(sinks));
    await sayWhenNobodyConsumes(desk, queue);
  } else if (missing.length === 0) say(`${queue}: no dead jobs to requeue`);
  if (missing.length > 0) {
    throw new YeeterError('USAGE', `not among the dead letters of ${queue}: ${missing.join(', ')}`);
  }
  if (jobIds !== 'all' || requeued >= dead) return;
  const { length: left } = await admin.setAsideMessages(queue, dead - requeued);
  if (left === 0) return;
  say(
    `${formatCount(left)} ${plural(left, 'message stays, which is no job', 'messages stay, which are no jobs')} ` +
      `of this deployment: "yeeter queues inspect ${queue}" tells why, ` +
      `"yeeter queues purge ${queue} --dead" takes ${plural(left, 'it', 'them')} away`,
  );
}

function goneSinks({ runId, mllpPort, dicomPort }: BenchSinks): string {
  const flags = [
    ...(mllpPort === null ? [] : [`--mllp-port ${mllpPort}`]),
    ...(dicomPort === null ? [] : [`--dicom-port ${dicomPort}`]),
  ];
  return (
    `run ${runId} sent to built-in receivers, which ended with its bench: its jobs fail again unless others listen ` +
    `there, as those of "yeeter sink ${flags.join(' ')}" where the workers run`
  );
}

async function sayWhenNobodyConsumes({ admin, remedy }: QueueDesk, queue: string): Promise<void> {
  const status = (await admin.list()).find((one) => one.queue === queue);
  if (!status || status.consumers > 0) return;
  if (status.mode === 'paused') {
    say(`${queue} is paused: "yeeter queues resume ${queue}" lets workers take it up again`);
  } else say(unconsumed([queue], remedy(queue)));
}
