import { type Delimiters, readDelimiters } from '../../hl7/delimiters.ts';
import { parseMessage } from '../../hl7/message.ts';
import type { FieldDefinition, SegmentDefinitions } from './dictionary.ts';

const OPTIONALITY = ['O', 'O', 'R', 'C', 'B', 'X'] as const;

/** Fields of one segment that are looked at. */
const MAX_FIELDS = 500;
const MAX_SEGMENTS = 20_000;

function faultsOf(value: string, definition: FieldDefinition | undefined, delimiters: Delimiters): string[] {
  if (!definition) return value === '' ? [] : ['the version has no such field'];
  const faults: string[] = [];
  if (value === '' && definition.opt === 2) faults.push('is required, but not valued');
  const repetitions = delimiters.repetition === null ? [value] : value.split(delimiters.repetition);
  if (definition.rep === 1 && repetitions.length > 1) faults.push('does not repeat, but has repetitions');
  if (definition.len > 0 && repetitions.some((one) => one.length > definition.len))
    faults.push(`is longer than ${definition.len} characters`);
  return faults;
}

function explainField(
  segment: string,
  index: number,
  value: string,
  definition: FieldDefinition | undefined,
  delimiters: Delimiters,
) {
  const isDelimiters = segment === 'MSH' && index <= 2;
  return {
    index,
    value,
    name: definition?.desc ?? '',
    description: definition?.desc ?? '',
    field_id: `${segment}.${index}`,
    table: definition?.table === undefined ? null : String(definition.table).padStart(4, '0'),
    length: definition?.len ?? null,
    data_type: definition?.datatype ?? null,
    errors: isDelimiters ? [] : faultsOf(value, definition, delimiters),
    optionality: OPTIONALITY[definition?.opt ?? 0] ?? 'O',
    repeatable: definition !== undefined && definition.rep !== 1,
  };
}

/**
 * The segments of a message and their fields, beside what a version of the standard says of them.
 * @throws {YeeterError} HL7_PARSE
 */
export function explainMessage(text: string, definitions: SegmentDefinitions) {
  const { segments } = parseMessage(text);
  const header = segments.find((segment) => segment.text !== '')!;
  const delimiters = readDelimiters(header.text);
  return segments
    .filter((segment) => segment.text !== '')
    .slice(0, MAX_SEGMENTS)
    .map((segment) => {
      const [name = '', ...values] = segment.text.split(delimiters.field);
      const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
      // MSH-1 is the separator itself.
      const fields = name === 'MSH' ? [delimiters.field, ...values] : values;
      const required = definition?.fields.findLastIndex(({ opt }) => opt === 2) ?? -1;
      const count = Math.min(MAX_FIELDS, Math.max(fields.length, required + 1));
      return {
        name,
        description: definition?.desc ?? '',
        fields: Array.from({ length: count }, (_, i) =>
          explainField(name, i + 1, fields[i] ?? '', definition?.fields[i], delimiters),
        ),
      };
    });
}
