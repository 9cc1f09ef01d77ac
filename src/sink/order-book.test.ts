import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DataSet, encodeDataSet } from '../dicom/dataset.ts';
import { type DecodedDataSet, decodeDataSet, items, text } from '../dicom/dataset-decoder.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/uids.ts';
import { createOrderBook, type OrderBook } from './order-book.ts';

interface OrderText {
  accession: string;
  control?: string;
  type?: string;
  more?: string;
}

function order({ accession, control = 'NW', type = 'ORM^O01', more = '' }: OrderText): Buffer {
  const segments = [
    `MSH|^~\\&|A|B|C|D|20260105101500||${type}|1|T|2.3.1||||||UNICODE UTF-8`,
    'PID|1||4711^^^WARD^MR||MÜLLER^JÖRG^^JR^DR||19700102|M',
    `ORC|${control}|PLR1|${accession}`,
    `OBR|1|PLR1|${accession}|C1^CT head^L||||||||||||^REFERRER^RITA||${accession}|RP1|SPS1||||CT`,
    ...(more === '' ? [] : [more]),
  ];
  return Buffer.from(segments.join('\r'));
}

const EVERYTHING: DataSet = {
  AccessionNumber: null,
  PatientName: null,
  PatientID: null,
  StudyInstanceUID: null,
  RequestedProcedureID: null,
  ScheduledProcedureStepSequence: [{ Modality: null }],
};

async function ask(book: OrderBook, query: DataSet): Promise<DecodedDataSet[]> {
  const reply = book.find({
    dataSet: encodeDataSet(query),
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    callingAeTitle: 'CT_ROOM_1',
  });
  assert.ok(typeof reply === 'object');
  assert.equal(reply.status, 0);
  const found: DecodedDataSet[] = [];
  for await (const match of reply.matches ?? []) found.push(decodeDataSet(match, 'explicit'));
  return found;
}

async function accessions(book: OrderBook, query: DataSet): Promise<(string | null)[]> {
  return (await ask(book, { ...EVERYTHING, ...query })).map((item) => text(item, 'AccessionNumber'));
}

describe('the order book', () => {
  it('offers an order with its patient, its ids and the station that asks', async () => {
    const book = createOrderBook();
    book.take(order({ accession: 'ACC1', more: 'ZDS|1.2.3^YEETER^Application^DICOM' }));
    const [item] = await ask(book, { ...EVERYTHING, AccessionNumber: 'ACC1' });
    assert.equal(text(item!, 'PatientName'), 'MÜLLER^JÖRG^^DR^JR');
    assert.equal(text(item!, 'PatientID'), '4711');
    assert.equal(text(item!, 'StudyInstanceUID'), '1.2.3');
    assert.equal(text(item!, 'RequestedProcedureID'), 'RP1');
    assert.equal(item!.elements.size, 7);
    const [step] = items(item!, 'ScheduledProcedureStepSequence');
    assert.equal(text(step!, 'Modality'), 'CT');
    assert.equal(text(step!, 'ScheduledStationAETitle'), 'CT_ROOM_1');
    assert.equal(text(step!, 'ScheduledProcedureStepID'), 'SPS1');
    assert.equal(text(step!, 'ScheduledProcedureStepStartDate'), '20260105');
  });

  it('matches single values and wildcards', async () => {
    const book = createOrderBook();
    for (const accession of ['ACC1', 'ACC2', 'B.3']) book.take(order({ accession }));
    assert.deepEqual(await accessions(book, { AccessionNumber: 'ACC?' }), ['ACC1', 'ACC2']);
    assert.deepEqual(await accessions(book, { AccessionNumber: 'ACC' }), []);
    assert.deepEqual(await accessions(book, { PatientID: '47*' }), ['ACC1', 'ACC2', 'B.3']);
    const step = (modality: string): DataSet => ({
      ScheduledProcedureStepSequence: [{ Modality: modality }],
    });
    assert.deepEqual(await accessions(book, { AccessionNumber: 'B.3', ...step('CT') }), ['B.3']);
    assert.deepEqual(await accessions(book, { AccessionNumber: 'B.3', ...step('MR') }), []);
  });

  it('follows changes and cancellations, and passes over what is no order', async () => {
    const book = createOrderBook();
    book.take(order({ accession: 'ACC1' }));
    book.take(order({ accession: 'ACC1', control: 'XO' }));
    book.take(order({ accession: 'ACC2' }));
    book.take(order({ accession: 'ACC2', control: 'CA' }));
    book.take(order({ accession: 'ACC3', type: 'ORU^R01' }));
    book.take(Buffer.from('no message'));
    assert.deepEqual(await accessions(book, {}), ['ACC1']);
  });

  it('refuses a query that is none', () => {
    const book = createOrderBook();
    const dataSet = Buffer.from('garbage, garbage');
    const asked = { dataSet, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, callingAeTitle: 'A' };
    const reply = book.find(asked);
    assert.equal(typeof reply === 'object' && reply.status, 0xa900);
  });
});
