/**
 * MLLP: our pool against a bare TCP ping-pong, side by side.
 *
 *   node perf/mllp.ts [--seconds 1] [--repetitions 5] [--connections 1,8,64] [--json]
 *
 * Both clients send the same message to the same responder (a child process that looks for the end mark alone and
 * answers with a patched constant), so that they differ in nothing but themselves: the bare one writes a constant
 * and reads up to the end mark; ours queues, keeps the order by patient, frames, decodes, matches, times. A further
 * line has our own sink for a server. The three take turns within each repetition; a ratio is that of one turn.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { buildAck } from '../src/hl7/ack.ts';
import { CR, FS, frame } from '../src/hl7/mllp-codec.ts';
import { createMllpPool } from '../src/hl7/mllp-pool.ts';
import { createMllpSink } from '../src/sink/mllp-sink.ts';
import { spread } from './support/spread.ts';

const ID_LENGTH = 10;

function order(controlId: string): Buffer {
  return Buffer.from(
    [
      `MSH|^~\\&|YEETER|RADIOLOGY|PACS|HOSPITAL|20240102030405||ORM^O01^ORM_O01|${controlId}|T|2.5`,
      'PID|1||ZZ0000042^^^YEETER^MR||ZZTEST^MARGARET^ANNE||19570302|F|||12 ELM STREET^^LEEDS^^LS1 4AP^GBR||0113 496 0000',
      'PV1|1|O|RAD^XR1^1||||1234567^WELBY^MARCUS|7654321^HOUSE^GREGORY||||||||||V0000042',
      'ORC|NW|P0000042|F0000042||SC||1^^^20240102040000^^R||20240102030405|||1234567^WELBY^MARCUS',
      'OBR|1|P0000042|F0000042|71020^CHEST TWO VIEWS^L|||20240102040000||||||||1234567^WELBY^MARCUS||ACC0000042|RP42|SPS42|CT1||CT|||1^^^20240102040000^^R',
      'ZDS|2.25.329800735698586629295641978511506172918^YEETER^APPLICATION^DICOM',
      '',
    ].join('\r'),
  );
}

const idAt = (message: Buffer): number => message.indexOf('ID');
const messageId = (n: number): string => `ID${String(n).padStart(ID_LENGTH - 2, '0')}`;
const isEnd = (chunk: Buffer): boolean => chunk.at(-1) === CR && chunk.at(-2) === FS;

/** Answers each frame with a constant of which only the control id changes. */
async function respond(): Promise<number> {
  const sample = frame(order(messageId(0)));
  const ack = frame(
    buildAck(order(messageId(0)), 'AA', { controlId: 'R000000001', dateTime: '20240102030405' }),
  );
  const [from, to] = [idAt(sample), ack.indexOf(messageId(0))];
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (!isEnd(chunk)) return;
      const reply = Buffer.allocUnsafe(ack.length);
      reply.set(ack);
      chunk.copy(reply, to, from, from + ID_LENGTH);
      socket.write(reply);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

interface Load {
  connections: number;
  seconds: number;
}

interface Outcome {
  perSecond: number;
  cpuUs: number;
}

/** Messages a second and client CPU a message, from what `count` grew by; the first fifth of the time warms up. */
async function measure(seconds: number, count: () => number): Promise<Outcome> {
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  await wait(seconds * 200);
  const [n, at, cpu] = [count(), performance.now(), process.cpuUsage()];
  await wait(seconds * 1000);
  const messages = count() - n;
  const used = process.cpuUsage(cpu);
  return {
    perSecond: (messages / (performance.now() - at)) * 1000,
    cpuUs: (used.user + used.system) / messages,
  };
}

async function bare(port: number, { connections, seconds }: Load): Promise<Outcome> {
  const message = frame(order(messageId(0)));
  let done = 0;
  const sockets: Socket[] = [];
  for (let i = 0; i < connections; i++) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    socket.on('data', (chunk) => {
      if (!isEnd(chunk)) return;
      done++;
      socket.write(message);
    });
    sockets.push(socket);
  }
  for (const socket of sockets) socket.write(message);
  const outcome = await measure(seconds, () => done);
  for (const socket of sockets) socket.destroy();
  return outcome;
}

const MESSAGES = Array.from({ length: 4096 }, (_, n) => order(messageId(n)));

async function pooled(port: number, { connections, seconds }: Load): Promise<Outcome> {
  await using pool = createMllpPool({ port, host: '127.0.0.1', connections });
  const stop = new AbortController();
  let done = 0;
  let next = 0;
  let isOver = false;
  const patient = async (): Promise<void> => {
    while (!isOver) {
      const n = next++ % MESSAGES.length;
      const result = await pool.send(MESSAGES[n]!, { controlId: messageId(n), key: n, signal: stop.signal });
      if (!result.ok) throw new Error(result.message);
      done++;
    }
  };
  const patients = Array.from({ length: connections }, patient);
  const outcome = await measure(seconds, () => done);
  isOver = true;
  await Promise.all(patients);
  return outcome;
}

async function startChild(role: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(import.meta.filename, ['--role', role]);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

interface Options {
  seconds: number;
  repetitions: number;
  connections: readonly number[];
  json: boolean;
}

async function compare({ seconds, repetitions, connections, json }: Options): Promise<void> {
  const responder = await startChild('responder');
  const sink = await startChild('sink');
  const clients = {
    bare: (load: Load) => bare(responder.port, load),
    pool: (load: Load) => pooled(responder.port, load),
    'pool, our sink': (load: Load) => pooled(sink.port, load),
  };
  type Name = keyof typeof clients;
  const names = Object.keys(clients) as Name[];
  const results = connections.map((count) => ({
    connections: count,
    turns: [] as Array<Record<Name, Outcome>>,
  }));
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    for (const { connections: count, turns } of results) {
      const turn: Partial<Record<Name, Outcome>> = {};
      for (const name of names) turn[name] = await clients[name]({ connections: count, seconds });
      // The first round compiles the code and is not counted.
      if (repetition > 0) turns.push(turn as Record<Name, Outcome>);
    }
  }
  responder.child.kill();
  sink.child.kill();
  const rows = results.flatMap(({ connections: count, turns }) =>
    names.map((name) => ({
      connections: count,
      client: name,
      'messages/s': spread(
        turns.map((turn) => turn[name].perSecond),
        0,
      ),
      'ratio to bare': spread(
        turns.map((turn) => turn[name].perSecond / turn.bare.perSecond),
        2,
      ),
      'client CPU us/message': spread(
        turns.map((turn) => turn[name].cpuUs),
        1,
      ),
    })),
  );
  if (json) console.log(JSON.stringify(results));
  else console.table(rows);
}

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'compare' },
    seconds: { type: 'string', default: '1' },
    repetitions: { type: 'string', default: '5' },
    connections: { type: 'string', default: '1,8,64' },
    json: { type: 'boolean', default: false },
  },
});
if (values.role === 'responder') process.send!(await respond());
else if (values.role === 'sink') process.send!((await createMllpSink({})).port);
else {
  await compare({
    seconds: Number(values.seconds),
    repetitions: Number(values.repetitions),
    connections: values.connections.split(',').map(Number),
    json: values.json,
  });
}
