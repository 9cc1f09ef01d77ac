import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlId } from './control-id.ts';
import {
  checkNamespace,
  NAMESPACE_COUNT,
  NAMESPACE_SIZE,
  namespacesNeeded,
  type RunIdentity,
} from './identity.ts';
import { orderAt } from './orders.ts';
import { patientAt } from './population.ts';
import { DEFAULT_CASE_MIX } from './procedures.ts';
import { planStudies } from './studies.ts';

const IDENTITY: RunIdentity = {
  seed: 7,
  namespace: 0,
  clockStartMs: Date.UTC(2026, 0, 5),
  uidRoot: null,
};
const SOURCE = { caseMix: DEFAULT_CASE_MIX, stations: [], steps: [] };
const PARAMETERS = {
  count: 4,
  modality: null,
  studyDescription: null,
  generatePixels: true,
  burnPatientInfo: false,
  generateReport: true,
  store: 'stream',
} as const;

function identifiersOf(
  identity: RunIdentity,
  iteration: number,
  withSeries: boolean,
): Record<string, string> {
  const patient = patientAt(identity, iteration - 1);
  const order = orderAt(identity, iteration, patient, SOURCE);
  const ids: Record<string, string> = {
    mrn: patient.mrn,
    accession: order.accessionNumber,
    placer: order.placerOrderNumber,
    filler: order.fillerOrderNumber,
    requestedProcedure: order.procedures[0].requestedProcedureId,
    scheduledStep: order.procedures[0].scheduledProcedureStepId,
    study: order.procedures[0].studyInstanceUid,
    firstMessage: controlId(identity, iteration, 1, 0),
    secondMessage: controlId(identity, iteration, 2, 0),
  };
  if (!withSeries) return ids;
  const context = {
    identity,
    iteration,
    patient,
    order,
    context: null,
    parameters: PARAMETERS,
    stations: [],
  };
  const [study] = planStudies(context);
  for (const [i, series] of study!.series.entries()) ids[`series${i}`] = series.seriesInstanceUid;
  return ids;
}

/** All identifiers of so many iterations, each kind in a set of its own; equal ones fail at once. */
function collect(identity: RunIdentity, count: number, everySeries: number): Map<string, Set<string>> {
  const seen = new Map<string, Set<string>>();
  for (let iteration = 1; iteration <= count; iteration++) {
    const ids = identifiersOf(identity, iteration, iteration % everySeries === 0);
    for (const [name, id] of Object.entries(ids)) {
      // Series UIDs share one space, and so do the control ids of both messages.
      const kind = name.replace(/\d+$/, '').replace(/^(first|second)/, '');
      const set = seen.get(kind) ?? new Set<string>();
      seen.set(kind, set);
      if (set.has(id)) assert.fail(`${kind} ${id} appears twice, the second time in iteration ${iteration}`);
      set.add(id);
    }
  }
  return seen;
}

describe('identity', () => {
  it('gives 100,000 patients no two equal identifiers', () => {
    const seen = collect(IDENTITY, 100_000, 10);
    assert.equal(seen.get('mrn')!.size, 100_000);
    assert.equal(seen.get('accession')!.size, 100_000);
    assert.equal(seen.get('study')!.size, 100_000);
    assert.equal(seen.get('Message')!.size, 200_000);
    assert.ok(seen.get('series')!.size >= 20_000);
  });

  it('keeps two namespaces apart', () => {
    const zero = collect(IDENTITY, 5000, 10);
    const one = collect({ ...IDENTITY, namespace: 1 }, 5000, 10);
    for (const [kind, ids] of zero) {
      const others = one.get(kind)!;
      for (const id of ids) assert.ok(!others.has(id), `${kind} ${id} is in both`);
    }
  });

  it('gives the same values for the same seed and others for another', () => {
    const again = identifiersOf({ ...IDENTITY }, 42, true);
    assert.deepEqual(identifiersOf(IDENTITY, 42, true), again);
    const other = identifiersOf({ ...IDENTITY, seed: 8 }, 42, true);
    for (const [kind, id] of Object.entries(again)) assert.notEqual(other[kind], id, kind);
  });

  it('continues into the next block where a run is longer than one', () => {
    const long = identifiersOf(IDENTITY, NAMESPACE_SIZE + 1, false);
    const next = identifiersOf({ ...IDENTITY, namespace: 1 }, 1, false);
    assert.deepEqual(long, next);
  });

  it('writes identifiers in the forms that the contract names', () => {
    const ids = identifiersOf(IDENTITY, 1, true);
    assert.match(ids.mrn!, /^\d{8}$/);
    assert.match(ids.accession!, /^ACC\d{8}$/);
    assert.match(ids.placer!, /^PLR\d{8}$/);
    assert.match(ids.filler!, /^FIL\d{8}$/);
    assert.match(ids.study!, /^2\.25\.\d{1,39}$/);
  });

  it('puts UIDs below a configured root and keeps them within 64 characters', () => {
    const uidRoot = '1.2.826.0.1.3680043.10.1234';
    const ids = identifiersOf({ ...IDENTITY, uidRoot }, 1, true);
    for (const uid of [ids.study!, ids.series0!]) {
      assert.ok(uid.startsWith(`${uidRoot}.`));
      assert.ok(uid.length <= 64);
    }
  });

  it('keeps control ids within 20 characters at the ends of their range', () => {
    const last = { ...IDENTITY, seed: Number.MAX_SAFE_INTEGER, namespace: NAMESPACE_COUNT - 1 };
    assert.match(controlId(last, NAMESPACE_SIZE, 1295, 60_000_000), /^Y[0-9A-Z]{18}$/);
    assert.throws(() => controlId(last, 1, 1296, 0), RangeError);
  });
});

describe('namespaces', () => {
  it('counts the blocks that a run needs', () => {
    assert.equal(namespacesNeeded(1), 1);
    assert.equal(namespacesNeeded(NAMESPACE_SIZE), 1);
    assert.equal(namespacesNeeded(NAMESPACE_SIZE + 1), 2);
  });

  it('refuses a run that would leave the identifier space', () => {
    checkNamespace({ ...IDENTITY, namespace: NAMESPACE_COUNT - 1 }, NAMESPACE_SIZE);
    assert.throws(() => checkNamespace({ ...IDENTITY, namespace: NAMESPACE_COUNT - 1 }, NAMESPACE_SIZE + 1), {
      code: 'NAMESPACE_EXHAUSTED',
      message: /needs? 2 of the 10000 blocks.*from 0 to 9998/,
    });
    assert.throws(() => checkNamespace({ ...IDENTITY, namespace: -1 }, 1), { code: 'NAMESPACE_EXHAUSTED' });
    assert.throws(() => checkNamespace(IDENTITY, 200_000_000), { message: /at most 100000000 patients/ });
  });
});
