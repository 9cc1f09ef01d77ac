import { z } from 'zod';
import { ENDPOINT_TYPES } from './endpoint.ts';
import { MODALITIES } from './modality.ts';
import { aeTitle, expects, integer, line, number, oneOf, record, text } from './schema-fields.ts';
import { ASSOCIATION_POLICIES } from './station.ts';
import { ON_FAILURE } from './template.ts';

export const endpointSchema = z.object(
  {
    endpoint_type: oneOf(ENDPOINT_TYPES),
    hostname: line(253),
    port: integer(1, 65_535),
    ae_title: aeTitle().nullish(),
    aet_title: aeTitle().nullish(),
  },
  { error: expects('endpoint_type, hostname, port, ae_title, aet_title') },
);
export type EndpointIn = z.output<typeof endpointSchema>;

/** Inline (`content`) or by file; a file's path is relative to the template's folder. */
export const generatorSchema = z.object(
  { message_type: line(50).nullish(), content: text(1_000_000).nullish(), file: line(1000).nullish() },
  { error: expects('content, or file, and message_type') },
);

export const stationSchema = z.object(
  {
    modality: oneOf(MODALITIES),
    ae_title: aeTitle(),
    name: line(16).optional(),
    manufacturer: line(64).optional(),
    model: line(64).optional(),
    destinations: z.array(line(100), { error: expects('a list of endpoint names') }).optional(),
    cadence_ms: integer(0, 3_600_000).optional(),
    association: oneOf(ASSOCIATION_POLICIES).optional(),
  },
  { error: expects('a station: modality and ae_title') },
);
export type StationIn = z.output<typeof stationSchema>;

const weight = number(0, 1_000_000).optional();

/** Share of each modality; the sum does not matter. */
export const caseMixSchema = z.object(
  Object.fromEntries(MODALITIES.map((modality) => [modality, weight])) as Record<
    (typeof MODALITIES)[number],
    typeof weight
  >,
  { error: expects('modalities with their shares') },
);

/**
 * A template file around its steps, endpoints, generators and stations, each of which has a schema of its own, so that
 * a fault in one hides none in another.
 */
export const templateSchema = z.object(
  {
    name: line(100),
    description: text(10_000).nullish(),
    on_failure: oneOf(ON_FAILURE).default('fail_run'),
    case_mix: caseMixSchema.nullish(),
    returning_share: number(0, 1).default(0),
    procedures_per_order: integer(1, 10).default(1),
    name_prefix: z
      .string({ error: expects('letters and digits') })
      .regex(/^[A-Z0-9]{1,16}$/, { error: expects('1 to 16 capital letters or digits') })
      .optional(),
    endpoints: record().nullish(),
    generators: record().nullish(),
    stations: z.array(z.unknown(), { error: expects('a list of stations') }).nullish(),
    steps: z
      .array(z.unknown(), { error: expects('a list of steps') })
      .min(1, { error: 'must hold at least one step' }),
  },
  { error: expects('a template: name and steps') },
);
export type TemplateIn = z.output<typeof templateSchema>;
