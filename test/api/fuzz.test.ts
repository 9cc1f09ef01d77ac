import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { attemptRow, batchOf, eventRow } from '../conformance/ledger-rows.ts';
import { openTestApi, type Person, type TestApi } from '../support/api.ts';
import { makeTemplate } from './catalogue.ts';

interface Schema {
  type?: string | string[];
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  items?: Schema;
}

interface Operation {
  operationId: string;
  parameters: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, unknown>;
}

/** Requests for each route, the same ones in every run: a failure is there again. */
const RUNS = 25;
const SEED = 20_260_105;
/** What a request may take; the slowest wait for a network of ours. */
const PATIENCE_MS = 20_000;

/** Words that lead further in. */
const KNOWN_WORD = fc.constantFrom(
  ...[
    'GENERATE_HL7',
    'SEND_MLLP',
    'DMWL_FIND',
    'MPPS_UPDATE',
    'GENERATE_DICOM',
    'SEND_DICOM',
    'WAIT',
    'MLLP',
    'DICOM_SCP',
    'async',
    'inline',
  ],
  ...[
    '127.0.0.1',
    'localhost',
    'ris',
    'order',
    '2.5',
    '2026-01-05T07:00:00Z',
    'true',
    'csv',
    'desc',
    'COMPLETED',
  ],
  ...[
    'MSH|^~\\&|A|B|C|D|2026||ORM^O01|1|T|2.5\rPID|1',
    'MSH|^~\\&|',
    'MSH',
    'MSH|||||',
    'a@example.org',
    'eight chars',
  ],
);
const ODD_TEXT = fc.oneof(
  KNOWN_WORD,
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '0',
    '1',
    '-1',
    '1e999',
    'null',
    '\u0000',
    '\ud800',
    '..%2f..',
    "'; drop table runs; --",
  ),
  fc.constantFrom(
    '{$Faker.__import__("os")}',
    '<script>',
    '=1+1',
    'A'.repeat(5000),
    '\u202e\u{1f4a3}',
    '__proto__',
  ),
);
const ODD_NUMBER = fc.constantFrom(0, 1, 2, -1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, 16);
const ODD_VALUE: fc.Arbitrary<unknown> = fc.oneof(
  ODD_TEXT,
  ODD_NUMBER,
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, true, false, [], {}, [[]], { length: 3 }, { constructor: 1 }),
);

/** Values that a schema might take, and near misses. */
function valueFor(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  if (depth > 4) return ODD_VALUE;
  const { enum: values, anyOf, properties, items } = schema;
  if (values) return fc.oneof(fc.constantFrom(...values), ODD_VALUE);
  if (anyOf) return fc.oneof(...anyOf.map((one) => valueFor(one, depth + 1)));
  if (properties) return objectOf(properties, depth);
  if (items) return fc.oneof(fc.array(valueFor(items, depth + 1), { maxLength: 3 }), ODD_VALUE);
  const type = [schema.type].flat()[0];
  if (type === 'integer' || type === 'number') return fc.oneof(fc.nat(5), ODD_NUMBER, ODD_TEXT);
  if (type === 'string') return ODD_TEXT;
  if (type === 'boolean') return fc.oneof(fc.boolean(), ODD_VALUE);
  return ODD_VALUE;
}

function objectOf(properties: Record<string, Schema>, depth: number): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [
      name,
      fc.oneof({ weight: 4, arbitrary: valueFor(property, depth + 1) }, { weight: 1, arbitrary: ODD_VALUE }),
    ]),
  );
  return fc.oneof(
    { weight: 6, arbitrary: fc.record(fields, { requiredKeys: [] }) },
    { weight: 3, arbitrary: fc.record(fields) },
    { weight: 1, arbitrary: ODD_VALUE },
  );
}

const OBJECT: Schema = { properties: {} };

function payloadOf(schema: Schema | undefined): fc.Arbitrary<string | Buffer | undefined> {
  const json = valueFor(schema ?? OBJECT).map((value) => JSON.stringify(value) ?? '');
  return fc.oneof(
    { weight: 8, arbitrary: json },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.constantFrom(undefined, '', '{', `${'['.repeat(5000)}${']'.repeat(5000)}`) },
  );
}

const CONTENT_TYPE = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/json') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('application/json; charset=utf-16', 'text/plain', 'x', 'multipart/form-data'),
  },
);

interface Shot {
  params: string[];
  query: [string, string][];
  payload: string | Buffer | undefined;
  contentType: string;
  asAdmin: boolean;
}

function shotAt(operation: Operation): fc.Arbitrary<Shot> {
  const of = (place: string) => operation.parameters.filter((parameter) => parameter.in === place);
  const query = of('query').map(({ name, schema }) =>
    valueFor(schema).map((value): [string, string] => [name, String(value)]),
  );
  return fc.record({
    params: fc.tuple(...of('path').map(() => fc.oneof(fc.nat(3).map(String), ODD_TEXT))),
    query: fc.tuple(...query).chain((all) => fc.subarray([...all, ...all])),
    payload: payloadOf(operation.requestBody?.content['application/json']?.schema),
    contentType: CONTENT_TYPE,
    asAdmin: fc.boolean(),
  });
}

/** Percent-encoded where that can be done: a lone surrogate cannot. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

describe('whatever is sent to a route', () => {
  let api: TestApi;
  let user: Person;
  let operations: { path: string; method: string; operation: Operation }[];

  before(async () => {
    api = await openTestApi();
    // Nobody plays the runs that are started: they are over at once, so that whoever deletes them need not wait.
    api.live.subscribe((fact) => {
      if (fact.kind === 'run_created')
        void api.store.transitionRun(fact.runId, 'over_failed').catch(() => {});
    });
    // Numbers that are fired at are small: these are deleted, and who fires stays.
    for (let i = 0; i < 3; i++) await api.user();
    user = await api.user();
    const document = (await api.ok('openapi')).paths as Record<string, Record<string, Operation>>;
    for (const as of [user, api.admin, user]) {
      const { template } = await makeTemplate(api, as);
      const { run_id: id } = await api.ok('startRun', { as, body: { template_id: template.id } });
      await api.store.writeLedger(batchOf({ attempts: [attemptRow(id)], events: [eventRow(id)] }));
    }
    operations = Object.entries(document)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
      )
      // What is there is asked for before it is deleted.
      .sort((a, b) => Number(a.method === 'delete') - Number(b.method === 'delete'));
  });
  after(() => api.close());

  const fire = async (method: string, path: string, operation: Operation, shot: Shot): Promise<void> => {
    const { params, query, payload, contentType, asAdmin } = shot;
    let at = 0;
    const url = path.replace(/\{\w+\}/g, () => encoded(params[at++] ?? ''));
    const search = query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
    const request: InjectOptions = {
      method: method.toUpperCase() as 'GET',
      url: search === '' ? url : `${url}?${search}`,
      headers: {
        authorization: `Bearer ${(asAdmin ? api.admin : user).token}`,
        ...(payload === undefined ? {} : { 'content-type': contentType }),
      },
      ...(payload === undefined || method === 'get' ? {} : { payload }),
    };
    const reply = await Promise.race([
      api.api.app.inject(request),
      new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MS, null).unref()),
    ]);
    assert.ok(reply, `${method} ${path} hangs`);
    const { statusCode: status, body } = reply;
    const declared = status >= 200 && status < 300 ? status in operation.responses : true;
    assert.ok(declared, `${method} ${path} -> ${status}, which the contract does not list`);
    // Of the tools, whose contract says 5xx where the peer is at fault.
    const isTool = /send_hl7|ping_mllp/.test(path) && body.includes('"status":"error"');
    assert.ok(status < 500 || isTool, `${method} ${url} -> ${status} ${body}\n${api.lines.at(-1) ?? ''}`);
    if (status >= 400) assert.equal(typeof JSON.parse(body).code, 'string', body);
  };

  it('is answered, and never by a fault of the server', async () => {
    for (const { path, method, operation } of operations) {
      const property = fc.asyncProperty(shotAt(operation), (shot) => fire(method, path, operation, shot));
      await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true });
    }
    assert.equal((await api.call('GET', '/api/health')).status, 200);
  });

  it('in any order and at once, is answered too', async () => {
    const shots = fc
      .constantFrom(...operations)
      .chain((target) =>
        shotAt(target.operation).map(
          (shot) => () => fire(target.method, target.path, target.operation, shot),
        ),
      );
    const volley = fc.asyncProperty(fc.array(shots, { minLength: 5, maxLength: 20 }), async (fires) => {
      await Promise.all(fires.map((shoot) => shoot()));
    });
    await fc.assert(volley, { numRuns: 20, seed: SEED, endOnFailure: true });
    assert.equal((await api.call('GET', '/api/health')).status, 200);
  });
});
