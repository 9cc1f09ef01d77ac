/**
 * C-STORE: our SCU against DCMTK's storescu, both to storescp, and against bare TCP, both to a receiver of ours.
 *
 *   node perf/c-store.ts [--sizes 525000,2000] [--seconds 1] [--repetitions 5] [--json]
 *
 * One association, one request at a time. All receivers are child processes that drop what they get; DCMTK's run
 * with Nagle's algorithm off. The senders take turns within each repetition, and a ratio is that of one turn. Ours
 * and the bare one are timed from the first byte to the last response; storescu, a process of its own, from its
 * first data set bytes (seen in /proc) to its exit, so that its start costs it nothing. The bare sender writes the
 * same number of bytes in the same pieces and awaits an answer of a C-STORE response's length.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeDataSet } from '../src/dicom/dataset.ts';
import { fileHeader } from '../src/dicom/part10.ts';
import { openAssociation } from '../src/dicom/scu.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, SOP_CLASS } from '../src/dicom/uids.ts';
import { adoptTransport } from '../src/dicom/upper-layer/transport.ts';
import { createDicomSink } from '../src/sink/dicom-sink.ts';
import { spread } from './support/spread.ts';

const MAX_PDU = 131_072;
/** A C-STORE request's command with its headers, and a response: as ours are with these UIDs. */
const COMMAND_BYTES = 168;
const RESPONSE_BYTES = 170;

interface Instance {
  sopInstanceUid: string;
  head: Buffer;
  pixels: Buffer;
}

/** A valid CT image whose data set has about `bytes` bytes. */
function ctInstance(bytes: number, n: number): Instance {
  const sopInstanceUid = `2.25.32980073569858662929564197851150617${n}`;
  const side = Math.floor(Math.sqrt(Math.max(bytes - 390, 128) / 2) / 2) * 2;
  const rows = bytes > 500_000 ? 512 : side;
  const set = encodeDataSet({
    SOPClassUID: SOP_CLASS.CT,
    SOPInstanceUID: sopInstanceUid,
    StudyDate: '20240102',
    StudyTime: '030405',
    Modality: 'CT',
    PatientName: 'ZZTEST^PERFORMANCE',
    PatientID: 'ZZ0000042',
    StudyInstanceUID: '2.25.329800735698586629295641978511506170001',
    SeriesInstanceUID: '2.25.329800735698586629295641978511506170002',
    InstanceNumber: n,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: rows,
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
  });
  const pixels = Buffer.alloc(rows * rows * 2);
  for (let i = 0; i < pixels.length; i += 2) pixels.writeUInt16LE((i * 31 + n) & 0xfff, i);
  const pixelHeader = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  pixelHeader.writeUInt32LE(pixels.length, 8);
  return { sopInstanceUid, head: Buffer.concat([set, pixelHeader]), pixels };
}

const wireBytes = ({ head, pixels }: Instance): number => COMMAND_BYTES + head.length + pixels.length;

/** Counts bytes and answers after every `size` of them, reading as our receiver does. */
async function bareReceiver(size: number): Promise<number> {
  const response = Buffer.alloc(RESPONSE_BYTES);
  const buffer = Buffer.alloc(262_144);
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
    let got = 0;
    const socket = adoptTransport(accepted, buffer, (_chunk, length) => {
      got += length;
      for (; got >= size; got -= size) socket.write(response);
      return true;
    });
    socket.on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

interface Load {
  instances: readonly Instance[];
  count: number;
}

async function bare(port: number, { instances, count }: Load): Promise<number> {
  const command = Buffer.alloc(COMMAND_BYTES);
  const responses = Promise.withResolvers<void>();
  let got = 0;
  let sent = 0;
  const send = (): void => {
    const { head, pixels } = instances[sent++ % instances.length]!;
    socket.cork();
    socket.write(command);
    socket.write(head);
    for (let at = 0; at < pixels.length; at += MAX_PDU) socket.write(pixels.subarray(at, at + MAX_PDU));
    socket.uncork();
  };
  const callback = (length: number): boolean => {
    got += length;
    if (got < RESPONSE_BYTES) return true;
    got -= RESPONSE_BYTES;
    if (sent === count) responses.resolve();
    else send();
    return true;
  };
  const onread = { buffer: Buffer.alloc(16_384), callback };
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
  await once(socket, 'connect');
  const startedMs = performance.now();
  send();
  await responses.promise;
  const perSecond = (count / (performance.now() - startedMs)) * 1000;
  socket.destroy();
  return perSecond;
}

async function ours(port: number, { instances, count }: Load): Promise<number> {
  const opened = await openAssociation({
    host: '127.0.0.1',
    port,
    calledAeTitle: 'ANY-SCP',
    contexts: [{ abstractSyntax: SOP_CLASS.CT, transferSyntaxes: [EXPLICIT_VR_LITTLE_ENDIAN] }],
  });
  if (!opened.ok) throw new Error(opened.message);
  const { association } = opened;
  const startedMs = performance.now();
  for (let n = 0; n < count; n++) {
    const { sopInstanceUid, head, pixels } = instances[n % instances.length]!;
    const stored = await association.store({
      sopClassUid: SOP_CLASS.CT,
      sopInstanceUid,
      transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
      parts: [head, pixels],
    });
    if (!stored.ok) throw new Error(stored.message);
  }
  const perSecond = (count / (performance.now() - startedMs)) * 1000;
  await association.close();
  return perSecond;
}

const DCMTK = { stdio: 'ignore', env: { ...process.env, TCP_NODELAY: '1' } } as const;

/** Bytes that a process has written so far, to its socket for the most part; 0 when it has ended. */
function writtenBytes(pid: number): number {
  try {
    return Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function storescu(
  port: number,
  files: readonly string[],
  count: number,
  bytes: number,
): Promise<number> {
  const list = Array.from({ length: count }, (_, n) => files[n % files.length]!);
  const child = spawn('storescu', ['-R', '-pdu', `${MAX_PDU}`, '127.0.0.1', `${port}`, ...list], DCMTK);
  const ended = once(child, 'close');
  let startedMs = performance.now();
  while (child.exitCode === null && writtenBytes(child.pid!) < 1_000 + bytes / 4) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    startedMs = performance.now();
  }
  const [code] = (await ended) as [number];
  if (code !== 0) throw new Error(`storescu ended with ${code}`);
  return (count / (performance.now() - startedMs)) * 1000;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startStorescp(): Promise<{ child: ChildProcess; port: number }> {
  const port = await freePort();
  const child = spawn('storescp', ['--ignore', '-pdu', `${MAX_PDU}`, `${port}`], DCMTK);
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect({ port, host: '127.0.0.1' });
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return { child, port };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('storescp did not start');
}

async function startChild(...args: string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(import.meta.filename, args);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

const SENDERS = ['storescu to storescp', 'ours to storescp', 'bare TCP', 'ours to our sink'] as const;
type Sender = (typeof SENDERS)[number];
type Turn = Record<Sender, number>;

interface Options {
  seconds: number;
  repetitions: number;
}

async function compareSize(bytes: number, folder: string, { seconds, repetitions }: Options) {
  const instances = Array.from({ length: 10 }, (_, n) => ctInstance(bytes, n));
  const files = instances.map(({ sopInstanceUid, head, pixels }) => {
    const meta = { sopClassUid: SOP_CLASS.CT, sopInstanceUid, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN };
    const path = join(folder, `${bytes}-${sopInstanceUid.slice(-2)}`);
    writeFileSync(path, Buffer.concat([fileHeader(meta), head, pixels]));
    return path;
  });
  const scp = await startStorescp();
  const sink = await startChild('--role', 'sink');
  const plain = await startChild('--role', 'bare', '--size', `${wireBytes(instances[0]!)}`);
  const turns: Turn[] = [];
  let count = 100;
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    const load = { instances, count };
    const turn: Turn = {
      'storescu to storescp': await storescu(scp.port, files, count, bytes),
      'ours to storescp': await ours(scp.port, load),
      'bare TCP': await bare(plain.port, load),
      'ours to our sink': await ours(sink.port, load),
    };
    // The first round compiles the code and says how many instances fill the time; it is not counted.
    if (repetition === 0) count = Math.ceil(turn['storescu to storescp'] * seconds);
    else turns.push(turn);
  }
  for (const { child } of [scp, sink, plain]) child.kill();
  return { bytes: instances[0]!.head.length + instances[0]!.pixels.length, count, turns };
}

async function compare(sizes: readonly number[], options: Options, json: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'yeeter-perf-'));
  try {
    const results = [];
    for (const bytes of sizes) results.push(await compareSize(bytes, folder, options));
    if (json) console.log(JSON.stringify(results));
    else console.table(results.flatMap(rows));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rows({ bytes, turns }: Awaited<ReturnType<typeof compareSize>>) {
  return SENDERS.map((sender) => {
    const perSecond = turns.map((turn) => turn[sender]);
    const against = (peer: Sender): string =>
      spread(
        turns.map((turn) => turn[sender] / turn[peer]),
        2,
      );
    return {
      bytes,
      sender,
      'instances/s': spread(perSecond, 0),
      'MB/s': spread(
        perSecond.map((rate) => (rate * bytes) / 1e6),
        0,
      ),
      'ratio to storescu': against('storescu to storescp'),
      'ratio to bare TCP': against('bare TCP'),
    };
  });
}

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'compare' },
    size: { type: 'string', default: '0' },
    sizes: { type: 'string', default: '525000,2000' },
    seconds: { type: 'string', default: '1' },
    repetitions: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
if (values.role === 'sink') process.send!((await createDicomSink()).port);
else if (values.role === 'bare') process.send!(await bareReceiver(Number(values.size)));
else {
  const options = { seconds: Number(values.seconds), repetitions: Number(values.repetitions) };
  await compare(values.sizes.split(',').map(Number), options, values.json);
}
