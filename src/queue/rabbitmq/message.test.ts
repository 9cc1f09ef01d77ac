import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AsyncMessage } from 'rabbitmq-client';
import { testJob } from '../../../test/support/job.ts';
import {
  copyOf,
  deadLetterHeaders,
  deliveryCountOf,
  envelopeOf,
  HEADER,
  type Headers,
  jobMessage,
  readMessage,
} from './message.ts';

function received(body: unknown, change: Partial<AsyncMessage> = {}): AsyncMessage {
  return {
    consumerTag: 'c',
    deliveryTag: 1,
    exchange: '',
    routingKey: 'q',
    redelivered: false,
    body,
    ...change,
  };
}

describe('queue messages', () => {
  it('carry a job there and back', () => {
    const job = testJob({ attempt: 2 });
    const message = jobMessage('q', job);
    assert.equal(message.messageId, job.jobId);
    assert.deepEqual(readMessage(received(message.body), 'test'), { kind: 'job', job });
  });

  it('are persistent and mandatory, and carry nothing else', () => {
    const job = testJob();
    const envelope = envelopeOf(jobMessage('q', job), '7', false);
    assert.deepEqual(envelope, {
      exchange: '',
      routingKey: 'q',
      durable: true,
      mandatory: true,
      messageId: job.jobId,
      correlationId: '7',
      timestamp: undefined,
    });
  });

  it('have headers of what befell them', () => {
    const headersOf = (attempt: number, more: Headers, repeated: boolean): unknown =>
      envelopeOf(jobMessage('q', testJob({ attempt }), more), '7', repeated).headers;
    assert.deepEqual(headersOf(2, {}, false), { [HEADER.attempt]: 2 });
    assert.deepEqual(headersOf(1, { [HEADER.requeues]: 1 }, false), { [HEADER.requeues]: 1 });
    assert.deepEqual(headersOf(1, {}, true), { [HEADER.repeated]: 1 });
  });

  it('are told apart: jobs, those of a later version, and what is none of ours', () => {
    const kindOf = (body: unknown): string => readMessage(received(body), 'test').kind;
    assert.equal(kindOf(testJob()), 'job', 'parsed by the client');
    assert.equal(kindOf(JSON.stringify(testJob())), 'job', 'as text');
    assert.equal(kindOf({ ...testJob(), schemaVersion: 99 }), 'newer');
    assert.equal(kindOf({ ...testJob(), deploymentId: 'other' }), 'foreign');
    assert.equal(kindOf('{'), 'foreign');
    assert.equal(kindOf(null), 'foreign');
    assert.equal(kindOf(Buffer.alloc(1024 * 1024 + 1, ' ')), 'foreign');
  });

  it('are copied with our headers and without those of the broker', () => {
    const headers = { [HEADER.attempt]: 2, [HEADER.requeues]: 1, 'x-death': [], 'x-delivery-count': 3 };
    const copy = copyOf(received('text', { headers }), 'q', { [HEADER.due]: 5 });
    assert.deepEqual(copy.headers, { [HEADER.attempt]: 2, [HEADER.requeues]: 1, [HEADER.due]: 5 });
    assert.equal(copy.body.toString(), 'text');
  });

  it('count deliveries by the broker, and a publish that may have happened twice', () => {
    const countOf = (change: Partial<AsyncMessage>): number => deliveryCountOf(received('', change));
    assert.equal(countOf({}), 0);
    assert.equal(countOf({ redelivered: true }), 1);
    assert.equal(countOf({ redelivered: true, headers: { 'x-delivery-count': 4 } }), 4);
    const { headers } = envelopeOf(jobMessage('q', testJob()), '1', true);
    assert.equal(countOf({ headers: headers! }), 1);
  });

  it('say of a dead job what it was, with an error that is cut to what a header holds', () => {
    const headers = deadLetterHeaders('q', testJob({ runId: 7, attempt: 3 }), 'x'.repeat(10_000), 5);
    const { [HEADER.error]: error, ...others } = headers;
    assert.deepEqual(others, {
      [HEADER.run]: 7,
      [HEADER.origin]: 'q',
      [HEADER.attempts]: 3,
      [HEADER.diedAt]: 5,
    });
    assert.equal(error, 'x'.repeat(500));
    const ofNoJob = deadLetterHeaders('q', null, '', 5);
    assert.deepEqual([ofNoJob[HEADER.run], ofNoJob[HEADER.attempts]], [undefined, 0]);
  });
});
