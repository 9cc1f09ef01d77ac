import { YeeterError } from '../../lib/errors.ts';

/** PDU types, PS3.8 section 9.3.1. */
export const PDU_TYPE = {
  associateRq: 0x01,
  associateAc: 0x02,
  associateRj: 0x03,
  data: 0x04,
  releaseRq: 0x05,
  releaseRp: 0x06,
  abort: 0x07,
} as const;

/** PS3.7 Annex A.2.1: the one application context of DICOM. */
export const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';

/** A PDU header (PS3.8 section 9.3.1): type, reserved, length. */
export const PDU_HEADER_BYTES = 6;
/** A PDV item's header (PS3.8 section 9.3.5.1, Annex E.2): length, context id, message control header. */
export const PDV_HEADER_BYTES = 6;
/** Message control header bits, PS3.8 Annex E.2. */
export const PDV_COMMAND = 0x01;
export const PDV_LAST = 0x02;

export interface ProposedContext {
  /** Odd, 1 to 255. */
  id: number;
  abstractSyntax: string;
  transferSyntaxes: readonly string[];
}

/** PS3.8 Table 9-18: 0 acceptance, 1 user-rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes. */
export type ContextResult = 0 | 1 | 2 | 3 | 4;

export interface NegotiatedContext {
  id: number;
  result: ContextResult;
  /** Significant only when the result is 0. */
  transferSyntax: string;
}

/** Numbers of outstanding operations (PS3.7 Annex D.3.3.3); 0 is unlimited. */
interface OperationsWindow {
  invoked: number;
  performed: number;
}

interface AssociateCommon {
  calledAeTitle: string;
  callingAeTitle: string;
  applicationContext: string;
  /** The longest P-DATA-TF variable field the sender of this PDU receives (PS3.8 Annex D.1); 0 is unlimited. */
  maxPduBytes: number;
  implementationClassUid: string;
  /** Empty when absent. */
  implementationVersionName: string;
  /** Absent when not negotiated, which means one of each. */
  operationsWindow?: OperationsWindow | undefined;
}

export interface AssociateRq extends AssociateCommon {
  /** Bit field; bit 0 is version 1. */
  protocolVersion: number;
  contexts: readonly ProposedContext[];
}

export interface AssociateAc extends AssociateCommon {
  contexts: readonly NegotiatedContext[];
}

/** PS3.8 Table 9-21. */
export interface AssociateRj {
  result: number;
  source: number;
  reason: number;
}

/** PS3.8 Table 9-26. */
export interface Abort {
  source: number;
  reason: number;
}

function item(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(4);
  header[0] = type;
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

function userInformation(pdu: AssociateCommon): Buffer {
  const max = Buffer.alloc(4);
  max.writeUInt32BE(pdu.maxPduBytes);
  const parts = [item(0x51, max), item(0x52, text(pdu.implementationClassUid))];
  if (pdu.operationsWindow !== undefined) {
    const window = Buffer.alloc(4);
    window.writeUInt16BE(pdu.operationsWindow.invoked, 0);
    window.writeUInt16BE(pdu.operationsWindow.performed, 2);
    parts.push(item(0x53, window));
  }
  if (pdu.implementationVersionName !== '') parts.push(item(0x55, text(pdu.implementationVersionName)));
  return item(0x50, ...parts);
}

function pdu(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(PDU_HEADER_BYTES);
  header[0] = type;
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function associate(
  type: number,
  common: AssociateCommon,
  version: number,
  contexts: readonly Buffer[],
): Buffer {
  const fixed = Buffer.alloc(68);
  fixed.writeUInt16BE(version, 0);
  fixed.write(common.calledAeTitle.padEnd(16), 4, 16, 'latin1');
  fixed.write(common.callingAeTitle.padEnd(16), 20, 16, 'latin1');
  return pdu(
    type,
    Buffer.concat([fixed, item(0x10, text(common.applicationContext)), ...contexts, userInformation(common)]),
  );
}

/** A-ASSOCIATE-RQ, PS3.8 section 9.3.2. */
export function encodeAssociateRq(rq: AssociateRq): Buffer {
  const contexts = rq.contexts.map((context) =>
    item(
      0x20,
      Buffer.from([context.id, 0, 0, 0]),
      item(0x30, text(context.abstractSyntax)),
      ...context.transferSyntaxes.map((uid) => item(0x40, text(uid))),
    ),
  );
  return associate(PDU_TYPE.associateRq, rq, rq.protocolVersion, contexts);
}

/** A-ASSOCIATE-AC, PS3.8 section 9.3.3. */
export function encodeAssociateAc(ac: AssociateAc): Buffer {
  const contexts = ac.contexts.map((context) =>
    item(0x21, Buffer.from([context.id, 0, context.result, 0]), item(0x40, text(context.transferSyntax))),
  );
  return associate(PDU_TYPE.associateAc, ac, 1, contexts);
}

/** A-ASSOCIATE-RJ, PS3.8 section 9.3.4. */
export function encodeAssociateRj(rj: AssociateRj): Buffer {
  return pdu(PDU_TYPE.associateRj, Buffer.from([0, rj.result, rj.source, rj.reason]));
}

/** A-ABORT, PS3.8 section 9.3.8. */
export function encodeAbort(abort: Abort): Buffer {
  return pdu(PDU_TYPE.abort, Buffer.from([0, 0, abort.source, abort.reason]));
}

/** A-RELEASE-RQ, PS3.8 section 9.3.6. */
export const encodeReleaseRq = (): Buffer => pdu(PDU_TYPE.releaseRq, Buffer.alloc(4));
/** A-RELEASE-RP, PS3.8 section 9.3.7. */
export const encodeReleaseRp = (): Buffer => pdu(PDU_TYPE.releaseRp, Buffer.alloc(4));

const broken = (what: string): YeeterError => new YeeterError('DICOM_PROTOCOL', what);

/** Items of type, reserved, 16-bit length, value; a length past the end is an error. */
function* items(body: Buffer, from: number, where: string): Generator<[type: number, value: Buffer]> {
  let at = from;
  while (at < body.length) {
    if (at + 4 > body.length) throw broken(`${where}: an item header is cut short at byte ${at}`);
    const end = at + 4 + body.readUInt16BE(at + 2);
    if (end > body.length) throw broken(`${where}: the item at byte ${at} is longer than what holds it`);
    yield [body[at]!, body.subarray(at + 4, end)];
    at = end;
  }
}

/** UIDs and titles lose trailing NULs and surrounding spaces, which are not significant. */
const readText = (value: Buffer): string => value.toString('latin1').replace(/\0+$/, '').trim();

function readUserInformation(value: Buffer, common: AssociateCommon): void {
  for (const [type, field] of items(value, 0, 'user information')) {
    const fixed = type === 0x51 || type === 0x53;
    if (fixed && field.length !== 4)
      throw broken(`user information: sub-item ${type} has ${field.length} bytes, not 4`);
    if (type === 0x51) common.maxPduBytes = field.readUInt32BE(0);
    else if (type === 0x52) common.implementationClassUid = readText(field);
    else if (type === 0x53) {
      common.operationsWindow = { invoked: field.readUInt16BE(0), performed: field.readUInt16BE(2) };
    } else if (type === 0x55) common.implementationVersionName = readText(field);
  }
}

/** A peer that states no maximum length breaks the standard; the smallest usual one is assumed. */
const UNSTATED_MAX_PDU_BYTES = 16_384;

function readCommon(
  body: Buffer,
  where: string,
  onContext: (type: number, value: Buffer) => void,
): AssociateCommon {
  if (body.length < 68) throw broken(`${where} has ${body.length} bytes, fewer than its 68 fixed ones`);
  const common: AssociateCommon = {
    calledAeTitle: readText(body.subarray(4, 20)),
    callingAeTitle: readText(body.subarray(20, 36)),
    applicationContext: '',
    maxPduBytes: UNSTATED_MAX_PDU_BYTES,
    implementationClassUid: '',
    implementationVersionName: '',
  };
  for (const [type, value] of items(body, 68, where)) {
    if (type === 0x10) common.applicationContext = readText(value);
    else if (type === 0x50) readUserInformation(value, common);
    else onContext(type, value);
  }
  return common;
}

/**
 * Reads the body (without the 6-byte header) of an A-ASSOCIATE-RQ. Unknown items are skipped, as PS3.8 section
 * 9.3.1 asks.
 * @throws `DICOM_PROTOCOL` when items overrun or a context has no abstract or transfer syntax
 */
export function decodeAssociateRq(body: Buffer): AssociateRq {
  const contexts: ProposedContext[] = [];
  const common = readCommon(body, 'A-ASSOCIATE-RQ', (type, value) => {
    if (type !== 0x20) return;
    if (value.length < 4) throw broken('A-ASSOCIATE-RQ: a presentation context is cut short');
    const id = value[0]!;
    let abstractSyntax = '';
    const transferSyntaxes: string[] = [];
    for (const [subType, sub] of items(value, 4, `presentation context ${id}`)) {
      if (subType === 0x30) abstractSyntax = readText(sub);
      else if (subType === 0x40) transferSyntaxes.push(readText(sub));
    }
    if (abstractSyntax === '' || transferSyntaxes.length === 0) {
      throw broken(
        `A-ASSOCIATE-RQ: presentation context ${id} lacks its abstract syntax or transfer syntaxes`,
      );
    }
    contexts.push({ id, abstractSyntax, transferSyntaxes });
  });
  return { ...common, protocolVersion: body.readUInt16BE(0), contexts };
}

/**
 * Reads the body of an A-ASSOCIATE-AC.
 * @throws `DICOM_PROTOCOL` when items overrun
 */
export function decodeAssociateAc(body: Buffer): AssociateAc {
  const contexts: NegotiatedContext[] = [];
  const common = readCommon(body, 'A-ASSOCIATE-AC', (type, value) => {
    if (type !== 0x21) return;
    if (value.length < 4) throw broken('A-ASSOCIATE-AC: a presentation context is cut short');
    let transferSyntax = '';
    for (const [subType, sub] of items(value, 4, `presentation context ${value[0]}`)) {
      if (subType === 0x40) transferSyntax = readText(sub);
    }
    const result = Math.min(value[2]!, 4) as ContextResult;
    contexts.push({ id: value[0]!, result, transferSyntax });
  });
  return { ...common, contexts };
}

/** Reads the body of an A-ASSOCIATE-RJ. @throws `DICOM_PROTOCOL` */
export function decodeAssociateRj(body: Buffer): AssociateRj {
  if (body.length < 4) throw broken(`A-ASSOCIATE-RJ has ${body.length} bytes, not 4`);
  return { result: body[1]!, source: body[2]!, reason: body[3]! };
}

/** Reads the body of an A-ABORT. @throws `DICOM_PROTOCOL` */
export function decodeAbort(body: Buffer): Abort {
  if (body.length < 4) throw broken(`A-ABORT has ${body.length} bytes, not 4`);
  return { source: body[2]!, reason: body[3]! };
}
