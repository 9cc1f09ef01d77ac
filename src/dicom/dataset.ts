import { YeeterError } from '../lib/errors.ts';
import { DICTIONARY, type Keyword } from './dictionary.ts';
import { textFault, VR_RULES, type Vr } from './vr.ts';

/**
 * Data sets and their encoding (PS3.5 section 7), Implicit and Explicit VR Little Endian. Text is written in UTF-8:
 * a data set with other than ASCII text has to carry Specific Character Set (0008,0005) ISO_IR 192.
 */

type NumberVr = 'US' | 'SS' | 'UL' | 'SL' | 'FL' | 'FD' | 'AT' | 'IS' | 'DS';
type BytesVr = 'OB' | 'OW' | 'OF' | 'OD' | 'OL' | 'OV' | 'UN';

type ValueOf<V> = V extends 'SQ'
  ? readonly DataSet[]
  : V extends BytesVr
    ? Uint8Array
    : V extends NumberVr
      ? number | readonly number[]
      : string | readonly string[];

/** Elements by keyword, in any order; `null` is an element without a value (type 2), an absent key is no element. */
export type DataSet = { readonly [K in Keyword]?: ValueOf<(typeof DICTIONARY)[K][1]> | null };

export type Encoding = 'implicit' | 'explicit';

type AnyValue =
  | string
  | number
  | Uint8Array
  | readonly string[]
  | readonly number[]
  | readonly DataSet[]
  | null;

interface Entry {
  tag: number;
  vr: Vr;
  keyword: Keyword;
}

const ENTRIES = new Map<string, Entry>(
  Object.entries(DICTIONARY).map(([keyword, [tag, vr]]) => [
    keyword,
    { tag, vr, keyword: keyword as Keyword },
  ]),
);

/** `(0010,0020) PatientID`, as messages name an element. */
export function tagName(tag: number, keyword?: string): string {
  const hex = tag.toString(16).padStart(8, '0').toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})${keyword ? ` ${keyword}` : ''}`;
}

function fault(entry: Entry, what: string): YeeterError {
  return new YeeterError('DICOM_DATASET', `${tagName(entry.tag, entry.keyword)}: ${what}`);
}

/** The elements of a set that are present, by ascending tag (PS3.5 section 7.1). */
function sortedEntries(set: DataSet): Entry[] {
  const entries: Entry[] = [];
  for (const keyword in set) {
    if (set[keyword as Keyword] === undefined) continue;
    const entry = ENTRIES.get(keyword);
    if (!entry)
      throw new YeeterError('DICOM_DATASET', `${keyword} is not in the data dictionary of this program`);
    // Sets are written nearly in order, which an insertion sort likes.
    let at = entries.length;
    while (at > 0 && entries[at - 1]!.tag > entry.tag) at--;
    if (at === entries.length) entries.push(entry);
    else entries.splice(at, 0, entry);
  }
  return entries;
}

/** A decimal string of at most 16 characters that is as near to the number as they allow (PS3.5 section 6.2, DS). */
export function decimalString(value: number): string {
  if (!Number.isFinite(value))
    throw new YeeterError('DICOM_DATASET', `${value} cannot be written as a decimal string`);
  const plain = String(value);
  if (plain.length <= 16) return plain;
  for (let digits = 14; digits > 1; digits--) {
    const rounded = Number(value.toPrecision(digits));
    const short = [String(rounded), rounded.toExponential()].find((text) => text.length <= 16);
    if (short !== undefined) return short;
  }
  return value.toExponential(0);
}

const MAX_LENGTH = 0xffff_fffe;

/** Writes elements into one buffer that grows; reused from set to set, so that encoding allocates only the result. */
export class DataSetWriter {
  private buffer: Buffer;
  private at = 0;
  private readonly explicit: boolean;

  constructor(encoding: Encoding = 'explicit', initialBytes = 4096) {
    this.buffer = Buffer.allocUnsafe(initialBytes);
    this.explicit = encoding === 'explicit';
  }

  get length(): number {
    return this.at;
  }

  reset(): void {
    this.at = 0;
  }

  /** A copy of what was written. */
  toBuffer(): Buffer {
    const copy = Buffer.allocUnsafe(this.at);
    this.buffer.copy(copy, 0, 0, this.at);
    return copy;
  }

  private reserve(bytes: number): void {
    const need = this.at + bytes;
    if (need <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(need, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  raw(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    this.reserve(end - start);
    this.buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.at);
    this.at += end - start;
  }

  /**
   * The header of an element whose value follows, for example pixel data that stay in a buffer of their own.
   * @throws YeeterError DICOM_DATASET when the length does not fit
   */
  header(tag: number, vr: Vr, length: number): void {
    if (length > MAX_LENGTH || (this.explicit && !VR_RULES[vr].long && length > 0xffff))
      throw new YeeterError(
        'DICOM_DATASET',
        `${tagName(tag)}: a value of ${length} bytes does not fit into the length field of ${vr}`,
      );
    this.reserve(12);
    const b = this.buffer;
    let at = this.at;
    b[at++] = (tag >>> 16) & 0xff;
    b[at++] = tag >>> 24;
    b[at++] = tag & 0xff;
    b[at++] = (tag >>> 8) & 0xff;
    if (this.explicit) {
      b[at++] = vr.charCodeAt(0);
      b[at++] = vr.charCodeAt(1);
      if (!VR_RULES[vr].long) {
        b[at++] = length & 0xff;
        b[at++] = length >>> 8;
        this.at = at;
        return;
      }
      b[at++] = 0;
      b[at++] = 0;
    }
    this.at = b.writeUInt32LE(length, at);
  }

  /** @throws YeeterError DICOM_DATASET naming tag and keyword when a value breaks its VR */
  dataSet(set: DataSet): void {
    for (const entry of sortedEntries(set)) this.element(entry, set[entry.keyword] as AnyValue);
  }

  element(entry: Entry, value: AnyValue): void {
    const { tag, vr } = entry;
    this.header(tag, vr, 0);
    if (value === null) return;
    const valueAt = this.at;
    this.value(entry, value);
    const length = this.at - valueAt;
    if (this.explicit && !VR_RULES[vr].long) {
      if (length > 0xffff)
        throw fault(entry, `a value of ${length} bytes does not fit into the length field of ${vr}`);
      this.buffer[valueAt - 2] = length & 0xff;
      this.buffer[valueAt - 1] = length >>> 8;
    } else this.buffer.writeUInt32LE(length, valueAt - 4);
  }

  private value(entry: Entry, value: Exclude<AnyValue, null>): void {
    switch (VR_RULES[entry.vr].kind) {
      case 'text':
        this.texts(entry, value as string | readonly string[]);
        break;
      case 'number-text':
        this.numberTexts(entry, value as number | readonly number[]);
        break;
      case 'binary':
        if (typeof value === 'number') this.number(entry, value);
        else for (const item of value as readonly number[]) this.number(entry, item);
        break;
      case 'bytes':
        this.raw(value as Uint8Array);
        if ((value as Uint8Array).length % 2 === 1) this.raw(ZERO);
        break;
      case 'sequence':
        for (const item of value as readonly DataSet[]) this.item(item);
        break;
    }
  }

  private texts(entry: Entry, value: string | readonly string[]): void {
    const start = this.at;
    if (typeof value === 'string') this.text(entry, value);
    else
      for (let i = 0; i < value.length; i++) {
        if (i > 0) this.ascii('\\');
        this.text(entry, value[i]!);
      }
    this.pad(entry.vr, start);
  }

  private text(entry: Entry, value: string): void {
    if (typeof value !== 'string') throw fault(entry, `a value of VR ${entry.vr} has to be text`);
    const what = textFault(entry.vr, value);
    if (what !== null) throw fault(entry, `the value ${what}`);
    this.ascii(value);
  }

  private numberTexts(entry: Entry, value: number | readonly number[]): void {
    const start = this.at;
    const values = typeof value === 'number' ? [value] : value;
    for (let i = 0; i < values.length; i++) {
      if (i > 0) this.ascii('\\');
      const item = values[i]!;
      if (entry.vr === 'IS' && !(Number.isInteger(item) && Math.abs(item) <= 0x7fff_ffff))
        throw fault(entry, `${item} is not an integer of 32 bits`);
      if (!Number.isFinite(item)) throw fault(entry, `${item} is not a finite number`);
      this.ascii(decimalString(item));
    }
    this.pad(entry.vr, start);
  }

  private pad(vr: Vr, start: number): void {
    if ((this.at - start) % 2 === 0) return;
    this.reserve(1);
    this.buffer[this.at++] = VR_RULES[vr].pad;
  }

  /** Most text is short and ASCII: a loop here is quicker than the call into native code. */
  private ascii(value: string): void {
    this.reserve(value.length * 3);
    const b = this.buffer;
    const start = this.at;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) {
        this.at = start + b.write(value, start, 'utf8');
        return;
      }
      b[start + i] = code;
    }
    this.at = start + value.length;
  }

  private number(entry: Entry, value: number): void {
    const { vr } = entry;
    const range = INTEGER_RANGES[vr];
    if (range && !(Number.isInteger(value) && value >= range[0] && value <= range[1]))
      throw fault(entry, `${value} is outside the range of ${vr} (${range[0]} to ${range[1]})`);
    this.reserve(8);
    const b = this.buffer;
    switch (vr) {
      case 'US':
        this.at = b.writeUInt16LE(value, this.at);
        break;
      case 'SS':
        this.at = b.writeInt16LE(value, this.at);
        break;
      case 'UL':
        this.at = b.writeUInt32LE(value, this.at);
        break;
      case 'SL':
        this.at = b.writeInt32LE(value, this.at);
        break;
      case 'FL':
        this.at = b.writeFloatLE(value, this.at);
        break;
      case 'FD':
        this.at = b.writeDoubleLE(value, this.at);
        break;
      case 'AT':
        b.writeUInt16LE(value >>> 16, this.at);
        this.at = b.writeUInt16LE(value & 0xffff, this.at + 2);
        break;
      default:
        throw fault(entry, `numbers of VR ${vr} are not written here`);
    }
  }

  private item(set: DataSet): void {
    this.reserve(8);
    const lengthAt = this.at + 4;
    this.buffer.writeUInt32LE(ITEM_LE, this.at);
    this.at += 8;
    this.dataSet(set);
    this.buffer.writeUInt32LE(this.at - lengthAt - 4, lengthAt);
  }
}

const ZERO = Buffer.alloc(1);
/** (FFFE,E000) as the 32-bit number that its little-endian bytes are. */
const ITEM_LE = 0xe000_fffe;

const INTEGER_RANGES: Partial<Record<Vr, readonly [number, number]>> = {
  US: [0, 0xffff],
  SS: [-0x8000, 0x7fff],
  UL: [0, 0xffff_ffff],
  SL: [-0x8000_0000, 0x7fff_ffff],
  AT: [0, 0xffff_ffff],
};

/** Encodes a whole set. @throws YeeterError DICOM_DATASET naming tag and keyword when a value breaks its VR */
export function encodeDataSet(set: DataSet, encoding: Encoding = 'explicit'): Buffer {
  const writer = new DataSetWriter(encoding);
  writer.dataSet(set);
  return writer.toBuffer();
}

/** Elements that many data sets share, encoded once; `starts[i]` is where the element of `tags[i]` begins. */
export interface SharedElements {
  readonly encoding: Encoding;
  readonly tags: readonly number[];
  readonly starts: readonly number[];
  readonly bytes: Buffer;
}

export function encodeShared(set: DataSet, encoding: Encoding = 'explicit'): SharedElements {
  const writer = new DataSetWriter(encoding);
  const tags: number[] = [];
  const starts: number[] = [];
  for (const entry of sortedEntries(set)) {
    tags.push(entry.tag);
    starts.push(writer.length);
    writer.element(entry, set[entry.keyword] as AnyValue);
  }
  return { encoding, tags, starts, bytes: writer.toBuffer() };
}

/**
 * Writes the union of shared elements and a set of its own, in tag order; writer and shared elements are of one
 * encoding. This is what makes an instance of a series cheap: what the series has in common is copied, only the rest
 * is encoded.
 */
export function writeMerged(writer: DataSetWriter, shared: SharedElements, own: DataSet): void {
  const { tags, starts, bytes } = shared;
  let next = 0;
  let copiedTo = 0;
  for (const entry of sortedEntries(own)) {
    while (next < tags.length && tags[next]! < entry.tag) next++;
    if (tags[next] === entry.tag) throw fault(entry, 'stands both in the shared and in the own elements');
    const copyTo = next < tags.length ? starts[next]! : bytes.length;
    if (copyTo > copiedTo) writer.raw(bytes, copiedTo, copyTo);
    copiedTo = copyTo;
    writer.element(entry, own[entry.keyword] as AnyValue);
  }
  writer.raw(bytes, copiedTo);
}
