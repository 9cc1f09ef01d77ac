import { createRequire } from 'node:module';
import { getRaw, type Message, messageType } from '../../src/hl7/message.ts';

/** An element of a message's grammar in hl7-dictionary: a segment, a group, or a choice. */
interface GrammarNode {
  name: string;
  min: number;
  /** 0 is unbounded. */
  max: number;
  children?: readonly GrammarNode[];
  compounds?: readonly GrammarNode[];
}

interface ElementDefinition {
  datatype: string;
  desc: string;
  /** 2 is required. */
  opt: number;
  /** Most repetitions; 0 is unbounded. */
  rep: number;
  len?: number;
  table?: number;
}

interface VersionDefinition {
  fields: Readonly<Record<string, { subfields: readonly ElementDefinition[] }>>;
  segments: Readonly<Record<string, { fields: readonly ElementDefinition[] }>>;
  messages: Readonly<Record<string, { segments: { segments: readonly GrammarNode[] } }>>;
}

interface Dictionary {
  definitions: Readonly<Record<string, VersionDefinition>>;
  tables: Readonly<Record<string, { values: Readonly<Record<string, string>> }>>;
}

const require = createRequire(import.meta.url);
const dictionary = require('hl7-dictionary') as Dictionary;

const DATE_TIME = /^\d{4}(?:\d\d(?:\d\d(?:\d\d(?:\d\d(?:\d\d(?:\.\d{1,4})?)?)?)?)?)?(?:[+-]\d{4})?$/;

/** The form of the primitive data types that have one (HL7 chapter 2A). */
const FORMS: Readonly<Record<string, RegExp>> = {
  DT: /^\d{4}(?:\d\d(?:\d\d)?)?$/,
  DTM: DATE_TIME,
  NM: /^[+-]?\d+(?:\.\d*)?$/,
  SI: /^\d{1,4}$/,
  TM: /^\d\d(?:\d\d(?:\d\d(?:\.\d{1,4})?)?)?(?:[+-]\d{4})?$/,
  TS: DATE_TIME,
};

/** OBR-24, in which radiology writes DICOM modalities too (IHE RAD TF-2, section 4.4). */
const DIAGNOSTIC_SECTION_TABLE = 74;

/** Coding systems of table 0396 that it describes instead of listing: local ones, and the tables of HL7 itself. */
const CODING_SYSTEM_TABLE = 396;
const CODING_SYSTEM = /^(?:99[A-Za-z0-9]{3}|HL7\d{4})$/;

/** All that hl7-dictionary finds wrong with a message: order of segments, fields, lengths, types, coded values. */
export function findFaults(message: Message): string[] {
  const version = getRaw(message, 'MSH-12') ?? '';
  const definition = dictionary.definitions[version];
  if (!definition) return [`version "${version}" is not in the dictionary`];
  const segments = message.segments.filter(({ text }) => text !== '' && !text.startsWith('Z'));
  const faults = grammarFaults(
    message,
    definition,
    segments.map(({ text }) => text.slice(0, 3)),
  );
  for (const { text } of segments) faults.push(...segmentFaults(text, definition, message));
  return faults;
}

function grammarFaults(message: Message, definition: VersionDefinition, names: string[]): string[] {
  const type = messageType(message)?.replace('^', '_') ?? '';
  const grammar = definition.messages[type];
  if (!grammar) return [`message ${type} is not in the dictionary`];
  const pattern = new RegExp(`^${grammar.segments.segments.map(toPattern).join('')}$`);
  const line = names.map((name) => `${name} `).join('');
  return pattern.test(line) ? [] : [`${type} does not have its segments in the order ${line}`];
}

/** A grammar over segments is a regular expression over their names. */
function toPattern(node: GrammarNode): string {
  const choice = node.compounds?.map(toPattern).join('|');
  const body = choice ?? node.children?.map(toPattern).join('') ?? `${node.name} `;
  return `(?:${body}){${node.min},${node.max === 0 ? '' : node.max}}`;
}

function segmentFaults(text: string, definition: VersionDefinition, message: Message): string[] {
  const name = text.slice(0, 3);
  const { field: separator, repetition } = message.delimiters;
  const values = text.split(separator).slice(1);
  if (name === 'MSH') values.splice(0, 1, separator, '');
  const fields = definition.segments[name]?.fields ?? [];
  const faults = values.length > fields.length ? [`${name} has ${values.length} fields`] : [];
  for (const [i, field] of fields.entries()) {
    if (name === 'MSH' && i < 2) continue;
    const where = `${name}-${i + 1} ${field.desc}`;
    const value = values[i] ?? '';
    if (value === '') {
      if (field.opt === 2) faults.push(`${where} is required`);
      continue;
    }
    const repetitions = value.split(repetition!);
    if (field.rep > 0 && repetitions.length > field.rep) faults.push(`${where} may not repeat`);
    const typed = field.datatype === 'VARIES' ? { ...field, datatype: values[1]! } : field;
    for (const one of repetitions) faults.push(...elementFaults(one, typed, where, definition, ['^', '&']));
  }
  return faults;
}

function elementFaults(
  text: string,
  element: ElementDefinition,
  where: string,
  definition: VersionDefinition,
  separators: readonly string[],
): string[] {
  const faults: string[] = [];
  if (element.len !== undefined && text.length > element.len) {
    faults.push(`${where} "${text}" is longer than ${element.len}`);
  }
  const parts = definition.fields[element.datatype]?.subfields ?? [];
  const [separator, ...inner] = separators;
  if (parts.length === 0 || separator === undefined)
    return [...faults, ...primitiveFaults(text, element, where)];
  const values = text.split(separator);
  if (values.length > parts.length) faults.push(`${where} "${text}" has too many parts`);
  for (const [i, part] of parts.entries()) {
    const value = values[i] ?? '';
    if (value !== '')
      faults.push(...elementFaults(value, part, `${where}.${i + 1} ${part.desc}`, definition, inner));
    else if (part.opt === 2) faults.push(`${where}.${i + 1} ${part.desc} is required`);
  }
  return faults;
}

function primitiveFaults(text: string, element: ElementDefinition, where: string): string[] {
  const faults: string[] = [];
  if (/[\^&]/.test(text)) faults.push(`${where} "${text}" may not have parts`);
  if (FORMS[element.datatype]?.test(text) === false)
    faults.push(`${where} "${text}" is no ${element.datatype}`);
  if (element.table === CODING_SYSTEM_TABLE && CODING_SYSTEM.test(text)) return faults;
  const values = dictionary.tables[element.table ?? '']?.values ?? {};
  const coded = element.datatype === 'ID' && element.table !== DIAGNOSTIC_SECTION_TABLE;
  if (coded && Object.keys(values).length > 0 && !Object.hasOwn(values, text)) {
    faults.push(`${where} "${text}" is not in table ${element.table}`);
  }
  return faults;
}
