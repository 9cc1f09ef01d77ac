import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { createMllpPool } from '../../src/hl7/mllp-pool.ts';
import { createMllpSink } from '../../src/sink/mllp-sink.ts';

/** Debian's own interpreter, where python3-hl7 is installed. */
const PYTHON = '/usr/bin/python3';

const RECEIVER = `
import asyncio, sys
import hl7.mllp
async def serve(reader, writer):
    try:
        while True:
            message = await reader.readmessage()
            code = "AE" if str(message["MSH.F10"]) == "REFUSE" else "AA"
            writer.writemessage(message.create_ack(code))
            await writer.drain()
    except asyncio.IncompleteReadError:
        pass
    finally:
        writer.close()
async def main():
    server = await hl7.mllp.start_hl7_server(serve, host="127.0.0.1", port=0, encoding="utf-8")
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
`;

const SENDER = `
import asyncio, sys
import hl7, hl7.mllp
async def main():
    reader, writer = await hl7.mllp.open_hl7_connection("127.0.0.1", int(sys.argv[1]), encoding="utf-8")
    for n in range(20):
        writer.writemessage(hl7.parse(f"MSH|^~\\\\&|PY|W|YEETER|R|1||ORM^O01^ORM_O01|P{n}|T|2.5\\rPID|1||{n}\\r"))
        await writer.drain()
        ack = await reader.readmessage()
        print(ack.segment("MSA")[1], ack.segment("MSA")[2], ack["MSH.F3"], ack["MSH.F5"], ack.segment("MSH")[9], flush=True)
    writer.close()
asyncio.run(main())
`;

const isThere = spawnSync(PYTHON, ['-c', 'import hl7.mllp']).status === 0;
const skip = isThere ? false : 'needs python3-hl7: apt-get install python3-hl7';

const order = (controlId: string): Buffer =>
  Buffer.from(
    `MSH|^~\\&|RIS|Ward|PACS|Radiology|20240102||ORM^O01^ORM_O01|${controlId}|T|2.5||||||UNICODE UTF-8\rPID|1||42||Größe^Ünal\r`,
  );

describe('python3-hl7', { skip }, () => {
  it('accepts our frames, and its acknowledgements are read', async () => {
    const receiver = spawn(PYTHON, ['-c', RECEIVER], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [port] = (await once(createInterface(receiver.stdout), 'line')) as [string];
      await using pool = createMllpPool({ host: '127.0.0.1', port: Number(port), connections: 4 });
      const results = await Promise.all(
        Array.from({ length: 200 }, (_, n) => pool.send(order(`Y${n}`), { controlId: `Y${n}`, key: n % 10 })),
      );
      assert.deepEqual(
        results.map((result) => result.code),
        Array<string>(200).fill('AA'),
      );
      assert.equal(pool.stats().connectionsOpened, 4);
      assert.equal((await pool.send(order('REFUSE'))).code, 'MLLP_NAK_ERROR');
    } finally {
      receiver.kill();
      await once(receiver, 'exit');
    }
  });

  it('sends to our sink and reads its acknowledgements', async () => {
    await using sink = await createMllpSink({});
    const sender = spawn(PYTHON, ['-c', SENDER, String(sink.port)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const acks: string[] = [];
    createInterface(sender.stdout).on('line', (line) => acks.push(line));
    const [status] = (await once(sender, 'close')) as [number];
    assert.equal(status, 0);
    assert.deepEqual(
      acks,
      Array.from({ length: 20 }, (_, n) => `AA P${n} YEETER PY ACK^O01^ACK`),
    );
    assert.equal(sink.counts().accepted, 20);
  });
});
