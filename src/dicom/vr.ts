/**
 * Value representations (PS3.5 section 6.2): how a value is checked and written.
 * `max` is in characters for text and applies to each value; `bytes` is the size of one binary number.
 */
interface VrRule {
  kind: 'text' | 'number-text' | 'binary' | 'bytes' | 'sequence';
  /** Longest single value in characters; Infinity when only the 32-bit length bounds it. */
  max: number;
  /** Size of one number of a binary VR; 0 otherwise. */
  bytes: number;
  /** The even-length padding byte. */
  pad: number;
  /** Explicit VR writes a 32-bit length after two reserved bytes (PS3.5 section 7.1.2). */
  long: boolean;
  /** A backslash separates values. */
  multi: boolean;
}

const text = (max: number, multi = true, long = false): VrRule => ({
  kind: 'text',
  max,
  bytes: 0,
  pad: 0x20,
  long,
  multi,
});
const numberText = (max: number): VrRule => ({ ...text(max), kind: 'number-text' });
const binary = (bytes: number): VrRule => ({
  kind: 'binary',
  max: Number.POSITIVE_INFINITY,
  bytes,
  pad: 0,
  long: false,
  multi: true,
});
const bytes = (): VrRule => ({
  kind: 'bytes',
  max: Number.POSITIVE_INFINITY,
  bytes: 0,
  pad: 0,
  long: true,
  multi: false,
});

export const VR_RULES = {
  AE: text(16),
  AS: text(4),
  AT: binary(4),
  CS: text(16),
  DA: text(8),
  DS: numberText(16),
  DT: text(26),
  FD: binary(8),
  FL: binary(4),
  IS: numberText(12),
  LO: text(64),
  LT: text(10240, false),
  OB: bytes(),
  OD: bytes(),
  OF: bytes(),
  OL: bytes(),
  OV: bytes(),
  OW: bytes(),
  PN: text(64),
  SH: text(16),
  SL: binary(4),
  SQ: { ...bytes(), kind: 'sequence' },
  SS: binary(2),
  ST: text(1024, false),
  SV: { ...binary(8), long: true },
  TM: text(14),
  UC: text(Number.POSITIVE_INFINITY, true, true),
  UI: { ...text(64), pad: 0 },
  UL: binary(4),
  UN: bytes(),
  UR: text(Number.POSITIVE_INFINITY, false, true),
  US: binary(2),
  UT: text(Number.POSITIVE_INFINITY, false, true),
  UV: { ...binary(8), long: true },
} as const satisfies Record<string, VrRule>;

export type Vr = keyof typeof VR_RULES;

export function isVr(name: string): name is Vr {
  return Object.hasOwn(VR_RULES, name);
}

/** Control characters have no place in single-line text, and UTF-8 needs no escape sequences. */
function hasControl(value: string, allowLines: boolean): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (
      code === 0x7f ||
      (code < 0x20 && !(allowLines && (code === 9 || code === 10 || code === 12 || code === 13)))
    )
      return true;
  }
  return false;
}

const PATTERNS: Partial<Record<Vr, { pattern: RegExp; form: string }>> = {
  AS: { pattern: /^\d{3}[DWMY]$/, form: 'three digits and D, W, M or Y' },
  CS: { pattern: /^[A-Z0-9 _]*$/, form: 'upper case letters, digits, space and underscore' },
  DA: { pattern: /^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/, form: 'YYYYMMDD' },
  DS: { pattern: /^ *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *$/, form: 'a decimal number' },
  DT: {
    pattern: /^\d{4}(\d\d(\d\d(\d\d(\d\d(\d\d(\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?$/,
    form: 'YYYYMMDDHHMMSS.FFFFFF&ZZXX',
  },
  IS: { pattern: /^ *[+-]?\d+ *$/, form: 'an integer' },
  TM: { pattern: /^([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?$/, form: 'HHMMSS.FFFFFF' },
  UI: {
    pattern: /^(0|[1-9]\d*)(\.(0|[1-9]\d*))*$/,
    form: 'digits and dots, no component with a leading zero',
  },
};

/** Text in which lines may be broken. */
const MULTI_LINE = new Set<Vr>(['LT', 'ST', 'UT']);

/** What is wrong with one text value of this VR, or null. */
export function textFault(vr: Vr, value: string): string | null {
  const rule: VrRule = VR_RULES[vr];
  if (rule.multi && value.includes('\\')) return 'contains a backslash, which separates values';
  if (hasControl(value, MULTI_LINE.has(vr))) return 'contains a control character';
  if (vr === 'PN') return nameFault(value);
  const form = PATTERNS[vr];
  if (form && value !== '' && !form.pattern.test(value)) return `is not ${form.form}`;
  if (value.length > rule.max && [...value].length > rule.max)
    return `has ${[...value].length} characters, ${vr} allows ${rule.max}`;
  return null;
}

function nameFault(value: string): string | null {
  const groups = value.split('=');
  if (groups.length > 3) return 'has more than three component groups';
  for (const group of groups) {
    if ([...group].length > 64)
      return `has ${[...group].length} characters in a component group, PN allows 64`;
    if (group.split('^').length > 5) return 'has more than five components';
  }
  return null;
}
