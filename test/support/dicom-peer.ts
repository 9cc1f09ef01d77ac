import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Association } from '../../src/dicom/association.ts';
import { type Command, decodeCommand, encodeCommand } from '../../src/dicom/dimse.ts';
import type { StoreRequest } from '../../src/dicom/dimse-service.ts';
import { type OpenAssociationOptions, openAssociation, type ScuTimeouts } from '../../src/dicom/scu.ts';
import {
  decodeAssociateRq,
  encodeAssociateAc,
  encodeReleaseRp,
  PDU_TYPE,
} from '../../src/dicom/upper-layer/pdu.ts';
import { PduReader } from '../../src/dicom/upper-layer/pdu-reader.ts';
import type { ErrorCode } from '../../src/lib/errors.ts';

export const CT = '1.2.840.10008.5.1.4.1.1.2';
export const EXPLICIT = '1.2.840.10008.1.2.1';
const SHORT: Partial<ScuTimeouts> = {
  connectMs: 2_000,
  associateMs: 2_000,
  dimseMs: 2_000,
  releaseMs: 2_000,
  artimMs: 50,
};

/** One P-DATA-TF with one PDV. */
export function dataPdu(contextId: number, control: number, value: Buffer): Buffer {
  const header = Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, contextId, control]);
  header.writeUInt32BE(value.length + 6, 2);
  header.writeUInt32BE(value.length + 2, 6);
  return Buffer.concat([header, value]);
}

export function response(request: Command, status: number, extra: Partial<Command> = {}): Buffer {
  const buffer = Buffer.alloc(1024);
  const command = {
    commandField: request.commandField | 0x8000,
    hasDataSet: false,
    messageIdBeingRespondedTo: request.messageId,
    status,
    ...extra,
  };
  return dataPdu(1, 3, buffer.subarray(0, encodeCommand(command, buffer, 0)));
}

/** What a peer with no manners does; by default it accepts, stores and releases. */
interface Script {
  associate?: (socket: Socket, accept: Buffer) => void;
  command?: (socket: Socket, request: Command) => void;
  /** A request's data set (or the request, when it has none) is complete. */
  message?: (socket: Socket, request: Command, dataSet: Buffer) => void;
  release?: (socket: Socket) => void;
  releaseAnswer?: (socket: Socket) => void;
  maxPduBytes?: number;
  window?: { invoked: number; performed: number };
}

interface Peer extends AsyncDisposable {
  port: number;
  /** Longest P-DATA-TF variable field seen. */
  longestPdu(): number;
  /** Types of the PDUs received, P-DATA-TF left out. */
  pdus: number[];
  sockets: Socket[];
}

export async function fakePeer(script: Script): Promise<Peer> {
  const sockets: Socket[] = [];
  const pdus: number[] = [];
  let longest = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    let request: Command | null = null;
    let pieces: Buffer[] = [];
    let pduBytes = 0;
    const complete = (): void => {
      const done = request!;
      request = null;
      const dataSet = Buffer.concat(pieces);
      pieces = [];
      if (script.message) script.message(socket, done, dataSet);
      else socket.write(response(done, 0));
    };
    const reader = new PduReader(
      {
        dataPdu: () => {
          pduBytes = 0;
          return true;
        },
        fragment: (_contextId, control, chunk, start, end, last) => {
          pduBytes += end - start;
          longest = Math.max(longest, pduBytes + 6);
          pieces.push(Buffer.from(chunk.subarray(start, end)));
          if (!last || (control & 2) === 0) return;
          if ((control & 1) === 0) return complete();
          request = decodeCommand(Buffer.concat(pieces));
          pieces = [];
          script.command?.(socket, request);
          if (!request.hasDataSet) complete();
        },
        pdu: (type, body) => {
          pdus.push(type);
          if (type === PDU_TYPE.associateRq) {
            const rq = decodeAssociateRq(body);
            const accept = encodeAssociateAc({
              ...rq,
              maxPduBytes: script.maxPduBytes ?? 16_384,
              operationsWindow: script.window,
              contexts: rq.contexts.map(({ id, transferSyntaxes }) => ({
                id,
                result: 0,
                transferSyntax: transferSyntaxes[0]!,
              })),
            });
            if (script.associate) script.associate(socket, accept);
            else socket.write(accept);
          } else if (type === PDU_TYPE.releaseRq) {
            if (script.release) script.release(socket);
            else socket.write(encodeReleaseRp());
          } else if (type === PDU_TYPE.releaseRp) script.releaseAnswer?.(socket);
        },
        invalid: ({ message }) => assert.fail(message),
      },
      0,
    );
    socket.on('data', (chunk: Buffer) => reader.feed(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    longestPdu: () => longest,
    pdus,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function options(
  peer: { port: number },
  more: Partial<OpenAssociationOptions> = {},
): OpenAssociationOptions {
  return {
    host: '127.0.0.1',
    port: peer.port,
    calledAeTitle: 'PEER',
    contexts: [
      { abstractSyntax: CT, transferSyntaxes: [EXPLICIT] },
      { abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] },
    ],
    ...more,
    timeouts: { ...SHORT, ...more.timeouts },
  };
}

export async function opened(
  peer: { port: number },
  more: Partial<OpenAssociationOptions> = {},
): Promise<Association> {
  const result = await openAssociation(options(peer, more));
  assert.ok(result.ok, result.ok ? '' : result.message);
  assert.ok(result.connectUs > 0 && result.associateUs > 0);
  return result.association;
}

export const instance = (more: Partial<StoreRequest> = {}): StoreRequest => ({
  sopClassUid: CT,
  sopInstanceUid: '1.2.3.4',
  transferSyntaxUid: EXPLICIT,
  parts: [Buffer.alloc(10, 1), Buffer.alloc(50_000, 2)],
  ...more,
});

export function assertFails(
  result: { ok: boolean },
  code: ErrorCode,
  message: RegExp,
  retryable: boolean,
): void {
  assert.equal(result.ok, false);
  const failed = result as { ok: boolean; code: ErrorCode; message: string; retryable: boolean };
  assert.equal(failed.code, code, failed.message);
  assert.match(failed.message, message);
  assert.equal(failed.retryable, retryable);
}
