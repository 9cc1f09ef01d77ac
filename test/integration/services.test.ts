import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { listens, removeStaleFolders } from '../support/child.ts';
import { startPrivatePostgres } from '../support/postgres.ts';
import {
  startOrthanc,
  startPostgres,
  startPythonHl7Receiver,
  startStorescp,
  without,
} from '../support/services.ts';

const run = promisify(execFile);
const environment = { ...process.env, TCP_NODELAY: '1' };

test('storescp answers an echo and is gone after close', { skip: without('dcmtk') }, async () => {
  const scp = await startStorescp();
  await run('/usr/bin/echoscu', [scp.host, String(scp.port)], { env: environment });
  await scp.close();
  assert.equal(await listens(scp.port), false);
});

test('Orthanc answers an echo and counts nothing at first', {
  skip: without('dcmtk', 'orthanc'),
}, async () => {
  await using orthanc = await startOrthanc();
  await run('/usr/bin/echoscu', ['-aec', orthanc.aeTitle, orthanc.host, String(orthanc.port)], {
    env: environment,
  });
  assert.deepEqual(await orthanc.statistics(), {
    instances: 0,
    series: 0,
    studies: 0,
    patients: 0,
    sizeBytes: 0,
  });
});

test('the python-hl7 receiver accepts a message and counts it', {
  skip: without('python3-hl7'),
}, async () => {
  await using receiver = await startPythonHl7Receiver();
  const socket = connect(receiver.port, receiver.host);
  socket.write('\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A04|17|T|2.5\rPID|||1\r\x1c\r');
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  assert.match(reply.toString(), /\rMSA\|AA\|17/);
  assert.equal(await receiver.count(), 1);
});

test('PostgreSQL gives each caller a database of its own', { skip: without('postgresql') }, async () => {
  await using postgres = await startPostgres();
  const urls = [await postgres.createDatabase(), await postgres.createDatabase()];
  for (const connectionString of urls) {
    const client = new pg.Client({ connectionString });
    await client.connect();
    await client.query('CREATE TABLE mine (id int)');
    await client.end();
  }
  assert.notEqual(urls[0], urls[1]);
});

test('services end with a process that is killed', { skip: without('postgresql', 'dcmtk') }, async () => {
  const script = fileURLToPath(new URL('../support/start-and-wait.ts', import.meta.url));
  const owner = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
  const ports = JSON.parse(line) as number[];
  assert.deepEqual(
    await Promise.all(ports.map(listens)),
    ports.map(() => true),
  );
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const deadline = performance.now() + 10_000;
  while ((await Promise.all(ports.map(listens))).includes(true) && performance.now() < deadline);
  assert.deepEqual(
    await Promise.all(ports.map(listens)),
    ports.map(() => false),
  );
  removeStaleFolders();
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.includes(`-${owner.pid}-`)),
    [],
  );
});

test('a private PostgreSQL removes its folder', { skip: without('postgresql') }, async () => {
  const ours = (): string[] => readdirSync(tmpdir()).filter((name) => name.includes(`-${process.pid}-`));
  const before = ours();
  const postgres = await startPrivatePostgres();
  await postgres.close();
  assert.deepEqual(ours(), before);
});
