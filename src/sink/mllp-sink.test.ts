import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { frame } from '../hl7/mllp-codec.ts';
import { createMllpPool } from '../hl7/mllp-pool.ts';
import { createContentDigest } from './content-digest.ts';
import { parseFaultPlan } from './fault-plan.ts';
import { createMllpSink, MLLP_FAULTS } from './mllp-sink.ts';

const order = (controlId: string, tail = ''): Buffer =>
  Buffer.from(`MSH|^~\\&|RIS|W|PACS|R|1||ORM^O01|${controlId}|T|2.4${tail}\rPID|1||${controlId}\r`);

const planOf = (text: string) => parseFaultPlan(text, MLLP_FAULTS);

describe('the MLLP sink', () => {
  it('acknowledges in the mode that each message asks for, and counts', async () => {
    const told: string[] = [];
    await using sink = await createMllpSink({});
    await using pool = createMllpPool({
      host: '127.0.0.1',
      port: sink.port,
      onApplicationAck: ({ controlId, code }) => told.push(`${controlId} ${code}`),
    });
    const messages = [order('A'), order('B', '|||AL|AL'), order('C', '|||NE|AL'), order('D', '|||AL|NE')];
    const codes: string[] = [];
    for (const message of messages) codes.push((await pool.send(message)).code);
    assert.deepEqual(codes, ['AA', 'CA', 'AA', 'CA']);
    assert.deepEqual(told, ['B AA']);
    const bytes = messages.reduce((sum, message) => sum + message.length, 0);
    const counts = { received: 4, accepted: 4, rejected: 0, unanswered: 0, bytes, kept: 0, digest: null };
    assert.deepEqual(sink.counts(), counts);
    assert.deepEqual([await sink.close(), await sink.close()], [counts, counts]);
  });

  it('refuses what is no HL7 message', async () => {
    await using sink = await createMllpSink({});
    const socket = connect(sink.port, '127.0.0.1');
    socket.write(frame(Buffer.from('hello')));
    const [reply] = (await once(socket, 'data')) as [Buffer];
    assert.match(reply.toString(), /\rMSA\|AR\|\|no MSH segment\r/);
    socket.destroy();
    assert.deepEqual([sink.counts().received, sink.counts().rejected], [1, 1]);
  });

  it('misbehaves as planned, and every kind of fault ends in its own code at the sender', async () => {
    const expected: Record<keyof typeof MLLP_FAULTS, string> = {
      AE: 'MLLP_NAK_ERROR',
      AR: 'MLLP_NAK_REJECT',
      CE: 'MLLP_NAK_ERROR',
      CR: 'MLLP_NAK_REJECT',
      silent: 'MLLP_TIMEOUT',
      close: 'MLLP_CLOSED',
      cut: 'MLLP_CLOSED',
      garbage: 'MLLP_GARBAGE',
      'wrong-id': 'MLLP_WRONG_ACK',
      split: 'AA',
      twice: 'AA',
      delay: 'AA',
    };
    for (const [name, code] of Object.entries(expected)) {
      const plan = planOf(name === 'delay' ? 'delay:10/2' : `${name}/2`);
      await using sink = await createMllpSink({ faultPlan: plan });
      const responseTimeoutMs = name === 'silent' ? 100 : 10_000;
      await using pool = createMllpPool({ host: '127.0.0.1', port: sink.port, responseTimeoutMs });
      const codes: string[] = [];
      for (const id of ['1', '2', '3']) codes.push((await pool.send(order(id))).code);
      assert.deepEqual(codes, ['AA', code, 'AA'], name);
      const { received, accepted, rejected, unanswered } = sink.counts();
      assert.deepEqual([received, accepted + rejected + unanswered], [3, 3], name);
      assert.equal(accepted, code === 'AA' ? 3 : 2, name);
    }
  });

  it('and the pool keep equal accounts through a mixture of faults', async () => {
    const plan = planOf('AE/7,AR/11,close/13,cut/29,garbage/17,wrong-id/19,split/5,delay:1/23');
    await using sink = await createMllpSink({ faultPlan: plan, digest: true });
    await using pool = createMllpPool({ host: '127.0.0.1', port: sink.port, connections: 8 });
    const ids = Array.from({ length: 600 }, (_, n) => `R${n}`);
    const results = await Promise.all(ids.map((id, n) => pool.send(order(id), { key: n % 40 })));
    for (const [n, result] of results.entries()) {
      if (result.ok) assert.ok(result.ack.toString().endsWith(`MSA|AA|R${n}\r`));
    }
    const rejected = results.filter((result) => !result.ok && result.ackCode !== null).length;
    const accepted = results.filter((result) => result.ok).length;
    const counts = sink.counts();
    assert.deepEqual([counts.received, counts.accepted, counts.rejected], [600, accepted, rejected]);
    const sent = createContentDigest();
    for (const id of ids) sent.add(order(id));
    assert.equal(counts.digest, sent.hex());
  });

  it('refuses an enhanced message in the application ACK that follows the commit', async () => {
    const told: string[] = [];
    await using sink = await createMllpSink({ faultPlan: planOf('AE/1') });
    await using pool = createMllpPool({
      host: '127.0.0.1',
      port: sink.port,
      onApplicationAck: ({ code }) => told.push(code),
    });
    assert.equal((await pool.send(order('A', '|||AL|AL'))).code, 'CA');
    assert.deepEqual(told, ['AE']);
    assert.deepEqual([sink.counts().accepted, sink.counts().rejected], [0, 1]);
  });

  it('keeps each message under its control id, byte for byte, and none over another', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'yeeter-sink-'));
    try {
      await using sink = await createMllpSink({ keepDir: join(folder, 'in') });
      await using pool = createMllpPool({ host: '127.0.0.1', port: sink.port });
      for (const id of ['M1', '../M 2', '', 'M1']) assert.equal((await pool.send(order(id))).code, 'AA');
      const names = (await readdir(join(folder, 'in'))).toSorted();
      assert.deepEqual(names, ['M1.4.hl7', 'M1.hl7', '_._M_2.hl7', 'message.hl7']);
      assert.deepEqual(await readFile(join(folder, 'in', 'M1.hl7')), order('M1'));
      assert.equal(sink.counts().kept, 4);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('answers AE when a message cannot be kept, and says why', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'yeeter-sink-'));
    const faults: string[] = [];
    await using sink = await createMllpSink({ keepDir: folder, onFault: (fault) => faults.push(fault.code) });
    await rm(folder, { recursive: true });
    await using pool = createMllpPool({ host: '127.0.0.1', port: sink.port });
    assert.equal((await pool.send(order('M1'))).code, 'MLLP_NAK_ERROR');
    assert.deepEqual([faults, sink.counts().rejected], [['STORAGE_FAILED'], 1]);
  });

  it('gives one digest for the same messages in any order, and another for others', async () => {
    const digestOf = async (ids: readonly string[]) => {
      const sink = await createMllpSink({ digest: true });
      await using pool = createMllpPool({ host: '127.0.0.1', port: sink.port, connections: 2 });
      await Promise.all(ids.map((id) => pool.send(order(id))));
      return (await sink.close()).digest;
    };
    const first = await digestOf(['1', '2', '3']);
    assert.match(first ?? '', /^[0-9a-f]{64}$/);
    assert.equal(await digestOf(['3', '1', '2']), first);
    assert.notEqual(await digestOf(['1', '2', '4']), first);
    const expected = createContentDigest();
    for (const id of ['1', '2', '3']) expected.add(order(id));
    assert.equal(expected.hex(), first);
  });
});
