import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testJob } from '../../test/support/job.ts';
import { testStep, testTemplate } from '../../test/support/template.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import type { RunStatus } from '../domain/run-state.ts';
import { goneSinks } from './gone-sinks.ts';

const sink = { hostname: '127.0.0.1', aeTitle: null, callingAeTitle: null, builtInSink: true } as const;
const mllp: Endpoint = { ...sink, name: 'mllp', endpointType: 'MLLP', port: 4001 };
const pacs: Endpoint = { ...sink, name: 'pacs', endpointType: 'DICOM_SCP', port: 4002 };

const template = testTemplate([
  testStep('SEND_MLLP', { endpoint: 'mllp', timeoutMs: 1000 }),
  testStep('WAIT', { durationSeconds: 1 }),
  testStep('SEND_DICOM', { endpoint: 'pacs', associations: 1, maxInFlight: 1, timeoutMs: 1000 }),
]);

const gone = (remainingSteps: number[], status: RunStatus = 'ERROR', endpoints = [mllp, pacs]) =>
  goneSinks(
    { id: 7, status, template, endpoints: Object.fromEntries(endpoints.map((one) => [one.name, one])) },
    [testJob({ remainingSteps })],
  );

it('a run that is over has lost the sinks of its bench that its jobs would send to', () => {
  assert.deepEqual(gone([1, 2, 3]), { runId: 7, mllpPort: 4001, dicomPort: 4002 });
  assert.deepEqual(gone([2, 3]), { runId: 7, mllpPort: null, dicomPort: 4002 });
  assert.equal(gone([2]), null);
  assert.equal(gone([2, 3], 'WAITING_ON_WORKERS'), null);
  const { builtInSink: _, ...other } = pacs;
  assert.deepEqual(gone([1, 2, 3], 'COMPLETED', [mllp, other]), {
    runId: 7,
    mllpPort: 4001,
    dicomPort: null,
  });
  assert.equal(gone([2, 3], 'COMPLETED', [mllp, other]), null);
});
