import { type Failure, failure } from '../lib/errors.ts';
import type { Command } from './dimse.ts';
import { describeStatus, judgeStoreStatus } from './dimse-status.ts';
import type { DataSetParts } from './upper-layer/p-data-writer.ts';

export interface StoreRequest {
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
  /** The data set in this transfer syntax; every buffer of even length, left alone until the result is there. */
  parts: DataSetParts;
  /** 0 medium, 1 high, 2 low (PS3.7 section 9.3.1.1). @default 0 */
  priority?: number;
  moveOriginator?: { aeTitle: string; messageId: number };
}

/** Microseconds of the monotonic clock. */
export interface Timing {
  /** From the first command byte written to the response decoded: the two below together. */
  serviceUs: number;
  /** To the last byte handed to the kernel. */
  sendUs: number;
  /** From there to the response. */
  waitUs: number;
}

export type StoreResult =
  | ({ ok: true; status: number; warning: boolean; bytes: number } & Timing)
  | (Failure & { status?: number } & Partial<Timing>);

export type EchoResult = ({ ok: true } & Timing) | (Failure & Partial<Timing>);
export type ReleaseResult = { ok: true; releaseUs: number } | Failure;

/** A request of any DIMSE service; Message ID and Command Data Set Type are filled in. */
export interface DimseRequest {
  /** The abstract syntax whose presentation context carries it. */
  sopClassUid: string;
  /** Null takes any accepted context of the abstract syntax. */
  transferSyntaxUid: string | null;
  command: Omit<Command, 'messageId' | 'hasDataSet'>;
  /** Null when no data set follows. */
  parts: DataSetParts | null;
  /** A response with a pending status, as C-FIND sends them; 'cancel' asks the peer to end (PS3.7 section 9.3.2.3). */
  onPending?: (response: Command, dataSet: Buffer | null) => 'cancel' | undefined;
}

export type DimseResult =
  | ({ ok: true; response: Command; dataSet: Buffer | null; bytes: number } & Timing)
  | (Failure & Partial<Timing>);

/** What the response to a C-STORE says about the instance. */
export function storeResult(
  result: Extract<DimseResult, { ok: true }>,
  sopInstanceUid: string,
  peer: string,
): StoreResult {
  const { response, bytes, serviceUs, sendUs, waitUs } = result;
  const status = response.status!;
  const verdict = judgeStoreStatus(status);
  if (verdict === 'stored' || verdict === 'stored-with-warning') {
    return { ok: true, status, warning: verdict === 'stored-with-warning', bytes, serviceUs, sendUs, waitUs };
  }
  const comment = response.errorComment ? `, "${response.errorComment}"` : '';
  const message = `${peer}: instance ${sopInstanceUid} was refused with ${describeStatus(status)}${comment}`;
  return {
    ...failure('DICOM_STORE_FAILED', message, verdict === 'retry'),
    status,
    serviceUs,
    sendUs,
    waitUs,
  };
}
