import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { describe, it } from 'node:test';
import { buildAck } from '../../src/hl7/ack.ts';
import { createMllpPool } from '../../src/hl7/mllp-pool.ts';
import { createMllpServer } from '../../src/hl7/mllp-server.ts';
import type { LiveFact } from '../../src/live/port.ts';
import { ask, type TestApi } from '../support/api.ts';
import { until } from '../support/until.ts';

/** HL7 tools and listener: section 6 of the contract. */
export function toolsConform(api: () => TestApi): void {
  const MESSAGE = 'MSH|^~\\&|A|B|C|D|20260105||ORM^O01|ID-1|T|2.3.1\nPID|1||123||Doe^Jane';
  const post = (path: string, body: unknown) => api().call('POST', path, { as: api().admin, body });
  const listen = async (server: Server): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as { port: number }).port;
  };
  const freePort = async (): Promise<number> => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    return port;
  };

  describe('send_hl7', () => {
    it('sends a message and gives its acknowledgement', async () => {
      const received: Buffer[] = [];
      await using server = await createMllpServer({
        onMessage: (message) => {
          received.push(message);
          return buildAck(message, 'AA');
        },
      });
      const { status, body } = await post('/api/send_hl7', {
        host: '127.0.0.1',
        port: server.port,
        message: MESSAGE,
      });
      assert.equal(status, 200);
      assert.equal(body.status, 'success');
      assert.match(String(body.ack), /MSA\|AA\|ID-1/);
      assert.equal(received[0]!.toString(), `${MESSAGE.replace('\n', '\r')}\r`);
    });

    it('a refusal is no success, and neither are silence and "AE" in the text of an acceptance a refusal', async () => {
      for (const code of ['AE', 'AR'] as const) {
        await using server = await createMllpServer({ onMessage: (message) => buildAck(message, code) });
        const { status, body } = await post('/api/send_hl7', {
          host: '127.0.0.1',
          port: server.port,
          message: MESSAGE,
        });
        assert.equal(status, 500);
        assert.equal(body.status, 'error');
        assert.ok(String(body.message).includes(code));
      }
      await using kind = await createMllpServer({
        onMessage: (message) => buildAck(message, 'AA', { text: 'no AE here' }),
      });
      const reply = await post('/api/send_hl7', { host: '127.0.0.1', port: kind.port, message: MESSAGE });
      assert.equal(reply.status, 200);
      const refused = await post('/api/send_hl7', {
        host: '127.0.0.1',
        port: await freePort(),
        message: MESSAGE,
      });
      assert.equal(refused.status, 500);
      assert.match(String(refused.body.message), /nothing listens there/);
    });

    it('faults are told in the older shape', async () => {
      const { status, body } = await post('/api/send_hl7', { host: '', port: 0 });
      assert.equal(status, 422);
      assert.equal(body.status, 'error');
      assert.equal((body.message as unknown[]).length, 3);
      const text = await post('/api/send_hl7', { host: '127.0.0.1', port: 1, message: 'no HL7' });
      assert.equal(text.status, 422);
    });

    it('what is neither this machine nor registered is refused', async () => {
      for (const [path, more] of [
        ['/api/send_hl7', { message: MESSAGE }],
        ['/api/ping_mllp', {}],
      ] as const) {
        const { status, body } = await post(path, { host: 'ris.hospital.example', port: 2575, ...more });
        assert.equal(status, 403);
        assert.equal(body.code, 'TARGET_REFUSED');
      }
    });
  });

  describe('ping_mllp', () => {
    it('any HL7 answer will do, and the message has no patient', async () => {
      const received: Buffer[] = [];
      await using server = await createMllpServer({
        onMessage: (message) => {
          received.push(message);
          return buildAck(message, 'AR');
        },
      });
      const { status, body } = await post('/api/ping_mllp', { host: 'localhost', port: server.port });
      assert.equal(status, 200);
      assert.equal(body.status, 'success');
      assert.match(String(body.ack), /MSA\|AR/);
      assert.doesNotMatch(received[0]!.toString(), /PID/);
    });

    it('is 503 where nothing listens, 502 where no HL7 is spoken, 504 where no answer comes', async () => {
      const ping = async (port: number) => (await post('/api/ping_mllp', { host: '127.0.0.1', port })).status;
      assert.equal(await ping(await freePort()), 503);
      const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      assert.equal(await ping(await listen(web)), 502);
      web.close();
      const silent = createServer((socket) => socket.end());
      assert.equal(await ping(await listen(silent)), 504);
      silent.close();
    });
  });

  describe('parse_hl7', () => {
    it('names the fields of a message', async () => {
      const { data } = await api().ok('parseHl7', { body: { message: MESSAGE, version: '2.3.1' } });
      assert.deepEqual(
        data.map(({ name }) => name),
        ['MSH', 'PID'],
      );
      const [msh, pid] = data;
      assert.equal(msh!.fields[0]!.value, '|');
      assert.equal(msh!.fields[9]!.value, 'ID-1');
      assert.equal(pid!.description, 'Patient identification segment');
      assert.deepEqual(Object.keys(pid!.fields[4]!), [
        'index',
        'value',
        'name',
        'description',
        'field_id',
        'table',
        'length',
        'data_type',
        'errors',
        'optionality',
        'repeatable',
      ]);
      assert.equal(pid!.fields[4]!.name, 'Patient Name');
      assert.equal(pid!.fields[4]!.field_id, 'PID.5');
      assert.equal(pid!.fields[4]!.optionality, 'R');
      const faulty = await api().ok('parseHl7', { body: { message: 'MSH|^~\\&|A\rPID|1\rZZZ|x' } });
      assert.ok(faulty.data[1]!.fields[4]!.errors.length > 0);
      assert.equal(faulty.data[2]!.description, '');
    });

    it('of something else is 422', async () => {
      for (const body of [{ message: 'nonsense' }, { message: '' }, {}, { message: MESSAGE, version: '9' }]) {
        const reply = await post('/api/parse_hl7', body);
        assert.equal(reply.status, 422);
        assert.equal(reply.body.status, 'error');
      }
    });
  });

  describe('the listener', () => {
    it('keeps what comes, acknowledges it, and tells everybody', async () => {
      const port = await freePort();
      const facts: LiveFact[] = [];
      const unsubscribe = api().live.subscribe((fact) => facts.push(fact));
      await api().ok('startListener', { body: { port } });
      assert.equal((await post('/api/listener/start', { port })).status, 409);
      await using pool = createMllpPool({ host: '127.0.0.1', port });
      for (const id of ['ID-1', 'ID-2']) {
        const sent = await pool.send(Buffer.from(MESSAGE.replace('ID-1', id).replace('\n', '\r')));
        assert.ok(sent.ok);
      }
      const list = await api().ok('listMessages', { query: { per_page: 1 } });
      assert.deepEqual(
        { total: list.total, page: list.page, per_page: list.per_page, pages: list.pages },
        {
          total: 2,
          page: 1,
          per_page: 1,
          pages: 2,
        },
      );
      const { id, timestamp: _, ...item } = list.items[0]!;
      assert.deepEqual(item, { message_type: 'ORM^O01', control_id: 'ID-2', sending_app: 'A' });
      const found = await api().ok('listMessages', { query: { search: 'id-1' } });
      assert.equal(found.total, 1);
      const message = await api().ok('getMessage', { params: { id } });
      assert.match(message.raw_message, /Doe\^Jane/);
      const path = `/api/listener/messages/${id}`;
      assert.equal((await api().call('DELETE', path, { as: api().admin })).status, 204);
      assert.equal((await api().call('GET', path, { as: api().admin })).status, 404);
      assert.match((await api().ok('stopListener')).message, /was stopped/);
      assert.match((await api().ok('stopListener')).message, /no listener/);
      // Facts are paced, and those of one kind may be told once.
      await until(() => facts.some((fact) => fact.kind === 'listener' && fact.status === 'stopped'));
      unsubscribe();
      const told = new Set(facts.map((fact) => (fact.kind === 'listener' ? fact.status : fact.kind)));
      assert.deepEqual([...told].sort(), ['listener_message', 'running', 'stopped']);
    });

    it('on a port that is taken is 409', async () => {
      const other = createServer();
      const port = await listen(other);
      const { status, body } = await post('/api/listener/start', { port });
      other.close();
      assert.equal(status, 409);
      assert.equal(body.code, 'PORT_IN_USE');
      assert.equal((await post('/api/listener/start', { port: 0 })).status, 422);
    });
  });

  it('what the front end asks at its start is there, without signing in', async () => {
    const asked = async (path: string) => (await ask(api().api, 'GET', path)).body;
    assert.ok(((await asked('/api/get_supported_versions')) as unknown as string[]).includes('2.5.1'));
    assert.deepEqual(await asked('/api/templates'), []);
    assert.deepEqual(await asked('/api/get_total_token_usage'), { total_usage: 0 });
    assert.deepEqual(await asked('/api/get_usage_by_model'), []);
  });
}
