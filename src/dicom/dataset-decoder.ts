import { YeeterError } from '../lib/errors.ts';
import { type Encoding, tagName } from './dataset.ts';
import { DICTIONARY, type Keyword } from './dictionary.ts';
import { isVr, VR_RULES, type Vr } from './vr.ts';

/** Reading of Implicit and Explicit VR Little Endian data sets (PS3.5 section 7), bounded and without trust. */

export interface DecodedElement {
  readonly tag: number;
  readonly vr: Vr;
  /** The value as it stands on the wire, a view; empty for sequences and encapsulated pixel data. */
  readonly bytes: Buffer;
  readonly items: readonly DecodedDataSet[] | null;
  /** Encapsulated pixel data: the basic offset table, then the fragments (PS3.5 annex A.4). */
  readonly fragments: readonly Buffer[] | null;
}

export interface DecodedDataSet {
  readonly elements: ReadonlyMap<number, DecodedElement>;
  /** A `TextDecoder` label, from Specific Character Set here or further out. */
  readonly charset: string;
}

export interface DecodeOptions {
  /** Sequences within sequences. @default 16 */
  maxDepth?: number;
  /** Elements and items in all. @default 100000 */
  maxElements?: number;
}

const UNDEFINED_LENGTH = 0xffff_ffff;
const ITEM = 0xfffe_e000;
const ITEM_END = 0xfffe_e00d;
const SEQUENCE_END = 0xfffe_e0dd;
const SPECIFIC_CHARACTER_SET = 0x0008_0005;
const PIXEL_DATA = 0x7fe0_0010;
const DEFAULT_CHARSET = 'utf-8';

/** Defined terms of (0008,0005) (PS3.3 section C.12.1.1.2) as labels of the Encoding Standard. */
const CHARSETS: Record<string, string> = {
  'ISO_IR 6': 'utf-8',
  'ISO_IR 192': 'utf-8',
  'ISO_IR 100': 'iso-8859-1',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'iso-8859-9',
  'ISO_IR 13': 'shift_jis',
  'ISO 2022 IR 87': 'iso-2022-jp',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

const VR_BY_TAG = new Map<number, Vr>(Object.values(DICTIONARY).map(([tag, vr]) => [tag, vr]));

/**
 * @throws YeeterError DICOM_DATASET when the bytes end too early, are no data set of this encoding, or pass a bound
 */
export function decodeDataSet(
  bytes: Buffer,
  encoding: Encoding,
  options: DecodeOptions = {},
): DecodedDataSet {
  const reader = new Reader(
    bytes,
    encoding === 'explicit',
    options.maxDepth ?? 16,
    options.maxElements ?? 100_000,
  );
  return reader.set(bytes.length, false, 0, DEFAULT_CHARSET);
}

class Reader {
  private readonly bytes: Buffer;
  private explicit: boolean;
  private readonly maxDepth: number;
  private left: number;
  private at = 0;

  constructor(bytes: Buffer, explicit: boolean, maxDepth: number, maxElements: number) {
    this.bytes = bytes;
    this.explicit = explicit;
    this.maxDepth = maxDepth;
    this.left = maxElements;
  }

  private fail(what: string): never {
    throw new YeeterError('DICOM_DATASET', `data set, byte ${this.at}: ${what}`);
  }

  private count(): void {
    if (--this.left < 0) this.fail('more elements than a data set may have here');
  }

  private need(length: number, end: number, tag: number): void {
    if (length > end - this.at)
      this.fail(
        `${tagName(tag)} needs ${length} bytes, ${end - this.at} are left: the data set is cut short`,
      );
  }

  private tag(end: number): number {
    if (end - this.at < 8) this.fail(`an element header needs 8 bytes, ${end - this.at} are left`);
    const tag = this.bytes.readUInt16LE(this.at) * 0x1_0000 + this.bytes.readUInt16LE(this.at + 2);
    this.at += 4;
    return tag;
  }

  private length(): number {
    const length = this.bytes.readUInt32LE(this.at);
    this.at += 4;
    return length;
  }

  /** Elements up to `end`, or to an item delimiter when `delimited`. */
  set(end: number, delimited: boolean, depth: number, outerCharset: string): DecodedDataSet {
    const elements = new Map<number, DecodedElement>();
    let charset = outerCharset;
    let last = -1;
    while (this.at < end) {
      const tag = this.tag(end);
      if (tag === ITEM_END && delimited) {
        this.length();
        return { elements, charset };
      }
      if (tag <= last) this.fail(`${tagName(tag)} follows ${tagName(last)}: tags have to ascend`);
      last = tag;
      const element = this.element(tag, end, depth, charset);
      elements.set(tag, element);
      if (tag === SPECIFIC_CHARACTER_SET) charset = charsetOf(element.bytes);
    }
    if (delimited) this.fail('an item of undefined length has no end');
    return { elements, charset };
  }

  private element(tag: number, end: number, depth: number, charset: string): DecodedElement {
    this.count();
    const vr = this.explicit ? this.explicitVr(tag) : implicitVr(tag);
    const length = this.explicit && !VR_RULES[vr].long ? this.shortLength() : this.longLength(tag, end);
    if (length === UNDEFINED_LENGTH) {
      if (tag === PIXEL_DATA) return { tag, vr, bytes: EMPTY, items: null, fragments: this.fragments(end) };
      if (vr !== 'SQ' && vr !== 'UN')
        this.fail(`${tagName(tag)} of VR ${vr} may not have an undefined length`);
      return this.sequence(tag, vr, end, true, depth, charset);
    }
    this.need(length, end, tag);
    if (vr === 'SQ') return this.sequence(tag, vr, this.at + length, false, depth, charset);
    const bytes = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return { tag, vr, bytes, items: null, fragments: null };
  }

  private explicitVr(tag: number): Vr {
    const vr = this.bytes.toString('latin1', this.at, this.at + 2);
    if (!isVr(vr)) this.fail(`${tagName(tag)} has no value representation: is this Implicit VR?`);
    this.at += 2;
    return vr;
  }

  private shortLength(): number {
    const length = this.bytes.readUInt16LE(this.at);
    this.at += 2;
    return length;
  }

  private longLength(tag: number, end: number): number {
    if (this.explicit) {
      this.at += 2;
      this.need(4, end, tag);
    }
    return this.length();
  }

  private sequence(
    tag: number,
    vr: Vr,
    end: number,
    delimited: boolean,
    depth: number,
    charset: string,
  ): DecodedElement {
    if (depth >= this.maxDepth)
      this.fail(`${tagName(tag)}: sequences are nested more than ${this.maxDepth} deep`);
    // An unknown sequence of undefined length is written as Implicit VR (PS3.5 section 6.2.2, note 4).
    const explicit = this.explicit;
    if (vr === 'UN') this.explicit = false;
    const items: DecodedDataSet[] = [];
    let closed = !delimited;
    while (this.at < end) {
      const itemTag = this.tag(end);
      const length = this.length();
      if (itemTag === SEQUENCE_END && delimited) {
        closed = true;
        break;
      }
      if (itemTag !== ITEM) this.fail(`${tagName(tag)} holds ${tagName(itemTag)} where an item has to be`);
      this.count();
      if (length === UNDEFINED_LENGTH) items.push(this.set(end, true, depth + 1, charset));
      else {
        this.need(length, end, itemTag);
        items.push(this.set(this.at + length, false, depth + 1, charset));
      }
    }
    if (!closed) this.fail(`${tagName(tag)}: a sequence of undefined length has no end`);
    this.explicit = explicit;
    return { tag, vr: 'SQ', bytes: EMPTY, items, fragments: null };
  }

  private fragments(end: number): Buffer[] {
    const fragments: Buffer[] = [];
    for (;;) {
      const tag = this.tag(end);
      const length = this.length();
      if (tag === SEQUENCE_END) return fragments;
      if (tag !== ITEM) this.fail(`encapsulated pixel data hold ${tagName(tag)} where a fragment has to be`);
      this.count();
      this.need(length, end, tag);
      fragments.push(this.bytes.subarray(this.at, this.at + length));
      this.at += length;
    }
  }
}

const EMPTY = Buffer.alloc(0);

function implicitVr(tag: number): Vr {
  // Group lengths are always UL; what the dictionary does not know stays uninterpreted.
  return VR_BY_TAG.get(tag) ?? ((tag & 0xffff) === 0 ? 'UL' : 'UN');
}

function charsetOf(bytes: Buffer): string {
  const terms = bytes.toString('latin1').split('\\');
  // Of several terms the first may be empty (the default repertoire); the others extend it.
  const known = terms.map((term) => CHARSETS[term.trim()]).filter((label) => label !== undefined);
  return known.find((label) => label !== 'utf-8') ?? DEFAULT_CHARSET;
}

/** The values of a text element without their padding; an empty array when it is absent or has no value. */
export function texts(set: DecodedDataSet, keyword: Keyword): string[] {
  const element = set.elements.get(DICTIONARY[keyword][0]);
  if (!element || element.bytes.length === 0) return [];
  const value = new TextDecoder(set.charset).decode(element.bytes);
  const vr = DICTIONARY[keyword][1];
  const single = !VR_RULES[vr].multi;
  const values = single ? [value] : value.split('\\');
  return values.map((item) => trimPadding(item, single));
}

/** The first value of a text element, or null. */
export function text(set: DecodedDataSet, keyword: Keyword): string | null {
  return texts(set, keyword)[0] ?? null;
}

function trimPadding(value: string, keepLeading: boolean): string {
  let end = value.length;
  while (end > 0 && (value[end - 1] === ' ' || value[end - 1] === '\0')) end--;
  const trimmed = value.slice(0, end);
  return keepLeading ? trimmed : trimmed.trimStart();
}

/** The numbers of a binary, IS or DS element; an empty array when it is absent or has no value. */
export function numbers(set: DecodedDataSet, keyword: Keyword): number[] {
  const element = set.elements.get(DICTIONARY[keyword][0]);
  if (!element) return [];
  const vr = element.vr === 'UN' ? DICTIONARY[keyword][1] : element.vr;
  if (vr === 'IS' || vr === 'DS') return texts(set, keyword).map(Number);
  const size = VR_RULES[vr].bytes;
  const values: number[] = [];
  if (size === 0) return values;
  for (let at = 0; at + size <= element.bytes.length; at += size)
    values.push(binaryNumber(vr, element.bytes, at));
  return values;
}

function binaryNumber(vr: Vr, bytes: Buffer, at: number): number {
  switch (vr) {
    case 'US':
      return bytes.readUInt16LE(at);
    case 'SS':
      return bytes.readInt16LE(at);
    case 'UL':
      return bytes.readUInt32LE(at);
    case 'SL':
      return bytes.readInt32LE(at);
    case 'FL':
      return bytes.readFloatLE(at);
    case 'FD':
      return bytes.readDoubleLE(at);
    case 'AT':
      return bytes.readUInt16LE(at) * 0x1_0000 + bytes.readUInt16LE(at + 2);
    default:
      return Number(bytes.readBigInt64LE(at));
  }
}

/** The items of a sequence; an empty array when it is absent. */
export function items(set: DecodedDataSet, keyword: Keyword): readonly DecodedDataSet[] {
  return set.elements.get(DICTIONARY[keyword][0])?.items ?? [];
}
