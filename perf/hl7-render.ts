/**
 * Rendering: our compiled generator, side by side with substitution by a regular expression at each message (the
 * peer) and with the same values joined and not escaped (the limit).
 *
 *   node perf/hl7-render.ts [--seconds 0.5] [--repetitions 7] [--json]
 *
 * The message has 31 cues: 23 facts of patient and order and 8 Faker calls. The peer and the limit get their values
 * from the same compiled cues, so that the three differ only in how a message is put together.
 * Two further lines have what else an order costs: reading its context, and its bytes on the way out. The lines take
 * turns within each repetition; a ratio is that of one turn.
 */
import { parseArgs } from 'node:util';
import { controlId } from '../src/domain/control-id.ts';
import { orderAt } from '../src/domain/orders.ts';
import { patientAt } from '../src/domain/population.ts';
import { encodeMessage } from '../src/hl7/charset.ts';
import { compileGenerator } from '../src/hl7/generator-compiler.ts';
import { createRng } from '../src/lib/rng.ts';
import { createCueCompiler } from '../src/steps/cues/compile-cue.ts';
import type { RenderContext } from '../src/steps/cues/render-context.ts';
import { readOrderContext } from '../src/steps/order-context.ts';
import { testRunContext } from '../test/support/job.ts';
import { median } from './support/spread.ts';

const CONTENT = String.raw`MSH|^~\&|YEETER|TEST|PACS|HOSPITAL|{$Faker.Context.MessageTimestamp}||ORM^O01^ORM_O01|{$Faker.Context.MessageControlId}|T|2.5.1
PID|1||{$Faker.Patient.MRN}^^^YEETER^MR||{$Faker.Person.LastName}^{$Faker.Person.FirstName}||{$Faker.Person.DOB}|{$Faker.Person.Sex}|||{$Faker.Person.Street}^^{$Faker.Person.City}^{$Faker.Person.State}^{$Faker.Person.PostalCode}||{$Faker.phone_number}||||||V{$Faker.random_number(digits=8, fix_len=True)}
PV1|1|{$Faker.random_element(elements=('O','E','I'))}|RAD^{$Faker.numerify('R##')}^1||||{$Faker.random_int(min=1000, max=9999)}^{$Faker.last_name}^{$Faker.first_name}
ORC|NW|{$Faker.Order.PlacerOrderNumber}|{$Faker.Order.AccessionNumber}||SC||1^^^{$Faker.Context.ScheduledStart}^{$Faker.Context.ScheduledEnd}
OBR|1|{$Faker.Order.PlacerOrderNumber}|{$Faker.PACS.AccessionInOBR3}|{$Faker.Order.ProcedureCode}^{$Faker.Order.StudyDescription}^LN||{$Faker.date_time_this_year().strftime('%Y%m%d')}||||||||||||{$Faker.Context.AccessionNumber}|{$Faker.Order.RequestedProcedureId}|{$Faker.Order.ScheduledProcedureStepId}||||{$Faker.Context.Modality}
`;

const CUE = /\{\$Faker\.([^}]+)\}/g;
const identity = { seed: 1, namespace: 0, clockStartMs: Date.UTC(2026, 0, 5, 8), uidRoot: null };

/** Drawn beforehand: what a patient and an order cost is measured elsewhere. */
const contexts: readonly Omit<RenderContext, 'rng'>[] = Array.from({ length: 1000 }, (_, i) => {
  const patient = patientAt(identity, i);
  const order = orderAt(identity, i + 1, patient, { caseMix: { CT: 1, DX: 1 }, stations: [], steps: [] });
  const nowMs = order.requestedAtMs;
  return { patient, order, controlId: controlId(identity, i + 1, 1, 0), nowMs, run: testRunContext(i + 1) };
});

function contextAt(n: number): RenderContext {
  return { ...contexts[n % contexts.length]!, rng: createRng('hl7', identity.seed, n) };
}

type Line = (n: number) => string | object;

function createLines(): { name: string; run: Line }[] {
  const compile = createCueCompiler();
  const compiled = compileGenerator(CONTENT, compile);
  if (!compiled.ok) throw new Error(compiled.faults.map((fault) => fault.message).join('\n'));
  const { generator } = compiled;
  if (generator.cueCount !== 31) throw new Error(`the message has ${generator.cueCount} cues, not 31`);

  const renderers = new Map<string, (context: RenderContext) => string>();
  for (const [, cue] of CONTENT.matchAll(CUE)) {
    const result = compile(cue!);
    if (result.ok) renderers.set(cue!, result.render);
  }
  const ended = CONTENT.replaceAll('\n', '\r');
  const parts = ended.split(CUE).filter((_, i) => i % 2 === 0);
  const slots = [...CONTENT.matchAll(CUE)].map(([, cue]) => renderers.get(cue!)!);
  const text = generator.render(contextAt(0));
  return [
    { name: 'compiled (ours)', run: (n) => generator.render(contextAt(n)) },
    {
      name: 'regular expression (peer)',
      run: (n) => {
        const context = contextAt(n);
        return ended.replace(CUE, (_, cue: string) => escapeEach(renderers.get(cue)!(context)));
      },
    },
    {
      name: 'values joined, unescaped (limit)',
      run: (n) => {
        const context = contextAt(n);
        let out = parts[0]!;
        for (let i = 0; i < slots.length; i++) out += slots[i]!(context) + parts[i + 1]!;
        return out;
      },
    },
    { name: 'order context', run: () => readOrderContext(text, 'OBR.3') },
    {
      name: 'render, context and bytes',
      run: (n) => {
        const message = generator.render(contextAt(n));
        readOrderContext(message, 'OBR.3');
        return encodeMessage(message);
      },
    },
  ];
}

/** The way most templating escapes: one replacement a character. */
function escapeEach(value: string): string {
  return value
    .replace(/\\/g, '\\E\\')
    .replace(/\|/g, '\\F\\')
    .replace(/\^/g, '\\S\\')
    .replace(/~/g, '\\R\\')
    .replace(/&/g, '\\T\\')
    .replace(/[\r\n]/g, '\\.br\\');
}

/** Runs a second. Each result is read to its end, since a joined string is put together only when it is used. */
function measure(run: Line, seconds: number): number {
  const start = performance.now();
  const end = start + seconds * 1000;
  let n = 0;
  let checksum = 0;
  while (performance.now() < end) {
    for (let i = 0; i < 50; i++) {
      const result = run(n++);
      if (typeof result === 'string')
        checksum += Buffer.byteLength(result, 'latin1') + result.charCodeAt(n % 200);
    }
  }
  if (Number.isNaN(checksum)) throw new Error('a message is shorter than it should be');
  return n / ((performance.now() - start) / 1000);
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '0.5' },
    repetitions: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const lines = createLines().map((line) => ({ ...line, perSecond: [] as number[] }));
for (const line of lines) measure(line.run, seconds);
for (let turn = 0; turn < Number(values.repetitions); turn++) {
  for (const line of lines) line.perSecond.push(measure(line.run, seconds));
}
const [ours] = lines;
const results = lines.map(({ name, perSecond }) => ({
  name,
  perSecond: Math.round(median(perSecond)),
  lowest: Math.round(Math.min(...perSecond)),
  highest: Math.round(Math.max(...perSecond)),
  microseconds: Number((1e6 / median(perSecond)).toFixed(1)),
  oursOverThis: Number(median(perSecond.map((rate, i) => ours!.perSecond[i]! / rate)).toFixed(2)),
}));
if (values.json) console.log(JSON.stringify({ cues: 31, results }, null, 2));
else console.table(results);
