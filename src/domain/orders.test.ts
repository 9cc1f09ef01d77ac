import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunIdentity } from './identity.ts';
import { parseTemplate } from './load-template.ts';
import type { Order } from './order.ts';
import { type OrderSource, orderAt } from './orders.ts';
import { patientAt } from './population.ts';
import { DEFAULT_CASE_MIX } from './procedures.ts';

const IDENTITY: RunIdentity = { seed: 7, namespace: 0, clockStartMs: Date.UTC(2026, 0, 5), uidRoot: null };
const SOURCE: OrderSource = { caseMix: DEFAULT_CASE_MIX, stations: [], steps: [] };

function orderOf(iteration: number, source: OrderSource = SOURCE): Order {
  return orderAt(IDENTITY, iteration, patientAt(IDENTITY, iteration - 1), source);
}

describe('orderAt', () => {
  it('schedules in working hours after the request, for as long as the procedure takes', () => {
    for (let iteration = 1; iteration <= 90_000; iteration += 331) {
      const { requestedAtMs, scheduledStartMs, scheduledEndMs } = orderOf(iteration);
      assert.equal(requestedAtMs, IDENTITY.clockStartMs + (iteration - 1) * 1000);
      assert.ok(scheduledStartMs > requestedAtMs && scheduledEndMs > scheduledStartMs);
      const hour = new Date(scheduledStartMs).getUTCHours();
      assert.ok(hour >= 7 && hour < 19, new Date(scheduledStartMs).toISOString());
      assert.equal(scheduledStartMs % 300_000, 0);
    }
  });

  it('names the station of its modality, the template has it or not', () => {
    const order = orderOf(1, { ...SOURCE, caseMix: { US: 1 } });
    assert.equal(order.stationAeTitle, 'YEETER_US1');
    const result = parseTemplate(
      'name: t\nstations: [{ modality: US, ae_title: US_WEST }]\nsteps: [{ step_type: WAIT }]',
      't.yaml',
      { checkGenerator: () => [] },
    );
    assert.ok(result.ok);
    assert.equal(orderOf(1, { ...result.template, caseMix: { US: 1 } }).stationAeTitle, 'US_WEST');
  });

  it('asks for the modality that the images will be of', () => {
    const result = parseTemplate(
      'name: t\nsteps: [{ step_type: GENERATE_DICOM, parameters: { modality: NM } }]',
      't.yaml',
      { checkGenerator: () => [] },
    );
    assert.ok(result.ok);
    for (let iteration = 1; iteration <= 20; iteration++)
      assert.equal(orderOf(iteration, result.template).procedures[0].procedure.modality, 'NM');
  });

  it('asks for several procedures of one modality when told to, each with ids of its own', () => {
    const { procedures } = orderOf(5, { ...SOURCE, proceduresPerOrder: 3 });
    assert.equal(procedures.length, 3);
    assert.equal(new Set(procedures.map(({ procedure }) => procedure.modality)).size, 1);
    for (const field of ['studyInstanceUid', 'requestedProcedureId', 'scheduledProcedureStepId'] as const)
      assert.equal(new Set(procedures.map((one) => one[field])).size, 3);
    for (const { requestedProcedureId, scheduledProcedureStepId } of procedures)
      assert.ok(requestedProcedureId.length <= 16 && scheduledProcedureStepId.length <= 16);
  });

  it('names a referring physician', () => {
    assert.match(orderOf(1).referringPhysician, /^[A-Z'-]+\^[A-Z'-]+$/);
  });
});
