import { type DataSet, encodeDataSet } from '../dicom/dataset.ts';
import { type DecodedDataSet, decodeDataSet, items, text } from '../dicom/dataset-decoder.ts';
import { DICTIONARY, type Keyword } from '../dicom/dictionary.ts';
import type { ServiceReply, ServiceRequest } from '../dicom/scp-hooks.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/uids.ts';
import { decodeMessage } from '../hl7/charset.ts';
import { parseMessage } from '../hl7/message.ts';
import { toYeeterError } from '../lib/errors.ts';
import { type ScheduledOrder, scheduledOrder } from './scheduled-order.ts';

/** Orders that came by HL7, as the worklist that they make (PS3.4 Annex K). */
export interface OrderBook {
  /** Takes note of a message; what is no order is passed over. */
  take(message: Buffer): void;
  /** Answers a C-FIND. */
  find(request: Pick<ServiceRequest, 'dataSet' | 'transferSyntaxUid' | 'callingAeTitle'>): ServiceReply;
}

/** The oldest go first. */
const MAX_ORDERS = 50_000;
/** So many more wait unread before the oldest are let go, all at once. */
const SLACK = 10_000;

/** Identifier does not match SOP class; unable to process (PS3.4 Table C.4-1). */
const NO_QUERY = 0xa900;
const UNABLE = 0xc001;

/** What a query may match by, in the item and in its scheduled step. */
const KEYS: readonly Keyword[] = ['AccessionNumber', 'PatientID', 'PatientName', 'RequestedProcedureID'];
const STEP_KEYS: readonly Keyword[] = ['Modality', 'ScheduledStationAETitle', 'ScheduledProcedureStepID'];

export function createOrderBook(): OrderBook {
  // Read when somebody asks: a run of orders alone does not pay for it.
  let unread: Buffer[] = [];
  const orders = new Map<string, ScheduledOrder>();

  const read = (): void => {
    for (const message of unread) {
      const order = readOrder(message);
      if (order === null) continue;
      orders.delete(order.accessionNumber);
      if (!order.cancelled) orders.set(order.accessionNumber, order);
      if (orders.size > MAX_ORDERS) orders.delete(orders.keys().next().value!);
    }
    unread = [];
  };

  const candidates = (accessionNumber: string | null): Iterable<ScheduledOrder> => {
    if (accessionNumber === null || /[*?]/.test(accessionNumber)) return orders.values();
    const order = orders.get(accessionNumber);
    return order === undefined ? [] : [order];
  };

  return {
    take: (message) => {
      unread.push(Buffer.from(message));
      if (unread.length >= MAX_ORDERS + SLACK) unread = unread.slice(-MAX_ORDERS);
    },
    find: ({ dataSet, transferSyntaxUid, callingAeTitle }) => {
      const encoding = transferSyntaxUid === IMPLICIT_VR_LITTLE_ENDIAN ? 'implicit' : 'explicit';
      let asked: DecodedDataSet;
      try {
        asked = decodeDataSet(dataSet ?? Buffer.alloc(0), encoding);
      } catch (thrown) {
        return { status: NO_QUERY, errorComment: toYeeterError(thrown).message.slice(0, 64) };
      }
      read();
      const found: Buffer[] = [];
      try {
        for (const order of candidates(text(asked, 'AccessionNumber') || null)) {
          const item = itemOf(order, callingAeTitle);
          if (isWanted(item, asked)) found.push(encodeDataSet(asAsked(item, asked), encoding));
        }
      } catch (thrown) {
        return { status: UNABLE, errorComment: toYeeterError(thrown).message.slice(0, 64) };
      }
      return { status: 0, matches: found };
    },
  };
}

function readOrder(message: Buffer): ScheduledOrder | null {
  try {
    return scheduledOrder(parseMessage(decodeMessage(message)));
  } catch {
    // The MLLP receiver has answered it; here it is no order.
    return null;
  }
}

/** An order that names no station is for whoever asks. */
function itemOf({ step, item }: ScheduledOrder, callingAeTitle: string): DataSet {
  const station = step.ScheduledStationAETitle ?? callingAeTitle;
  return { ...item, ScheduledProcedureStepSequence: [{ ...step, ScheduledStationAETitle: station }] };
}

function isWanted(item: DataSet, asked: DecodedDataSet): boolean {
  const step = item.ScheduledProcedureStepSequence?.[0] ?? {};
  const askedStep = items(asked, 'ScheduledProcedureStepSequence')[0];
  return (
    KEYS.every((key) => matches(item, asked, key)) &&
    (askedStep === undefined || STEP_KEYS.every((key) => matches(step, askedStep, key)))
  );
}

/** Universal, single value and wildcard matching (PS3.4 section C.2.2.2). */
function matches(set: DataSet, asked: DecodedDataSet, key: Keyword): boolean {
  const wanted = text(asked, key);
  if (!wanted) return true;
  const has = set[key];
  if (typeof has !== 'string') return false;
  const pattern = wanted.replaceAll(/[.*+?^${}()|[\]\\]/g, (sign) =>
    sign === '*' ? '.*' : sign === '?' ? '.' : `\\${sign}`,
  );
  return new RegExp(`^${pattern}$`, 'su').test(has);
}

/** The attributes that were asked for. */
function asAsked(item: DataSet, asked: DecodedDataSet): DataSet {
  const wanted = Object.entries(item).filter(([key]) => asked.elements.has(DICTIONARY[key as Keyword][0]));
  return { SpecificCharacterSet: 'ISO_IR 192', ...Object.fromEntries(wanted) };
}
