import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Endpoint } from './endpoint.ts';
import { guardEndpoint, isLoopback, type RegisteredTarget } from './target-guard.ts';

const NOW = Date.UTC(2026, 0, 5);

const PACS: Endpoint = {
  name: 'pacs',
  endpointType: 'DICOM_SCP',
  hostname: 'pacs.test.example',
  port: 104,
  aeTitle: 'ARCHIVE',
  callingAeTitle: null,
};

const REGISTERED: RegisteredTarget = {
  host: 'PACS.test.example',
  port: 104,
  aeTitle: 'ARCHIVE',
  owner: 'Ann',
  expiresAtMs: NOW + 1,
  maxAssociations: 4,
  maxMessagesPerSecond: null,
  maxBytes: null,
};

describe('isLoopback', () => {
  for (const host of [
    'localhost',
    'LOCALHOST',
    'localhost.',
    '127.0.0.1',
    '127.8.9.255',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
  ])
    it(`takes ${host} for this machine`, () => assert.equal(isLoopback(host), true));

  for (const host of [
    '',
    '128.0.0.1',
    '127.0.0.1.example.org',
    'localhost.example.org',
    '127.0.0.256',
    '10.127.0.1',
    '::2',
    '0.0.0.0',
    '127.1',
  ])
    it(`does not take "${host}" for this machine`, () => assert.equal(isLoopback(host), false));
});

describe('guardEndpoint', () => {
  it('lets a receiver on this machine through without limits', () => {
    assert.deepEqual(guardEndpoint({ ...PACS, hostname: '127.0.0.1' }, [], NOW), { ok: true, target: null });
  });

  it('refuses another machine and says how to register it', () => {
    const refused = guardEndpoint(PACS, [], NOW);
    assert.ok(!refused.ok);
    assert.equal(refused.code, 'TARGET_REFUSED');
    assert.match(
      refused.message,
      /"pacs" \(ARCHIVE@pacs\.test\.example:104\).*yeeter targets add ARCHIVE@pacs\.test\.example:104/,
    );
  });

  it('lets a registered test system through with its limits', () => {
    assert.deepEqual(guardEndpoint(PACS, [REGISTERED], NOW), { ok: true, target: REGISTERED });
  });

  it('refuses when port or AE title differ, in case too', () => {
    assert.equal(guardEndpoint({ ...PACS, port: 11112 }, [REGISTERED], NOW).ok, false);
    assert.equal(guardEndpoint({ ...PACS, aeTitle: 'archive' }, [REGISTERED], NOW).ok, false);
  });

  it('refuses when the registration has expired and names its owner', () => {
    const refused = guardEndpoint(PACS, [{ ...REGISTERED, expiresAtMs: NOW }], NOW);
    assert.ok(!refused.ok);
    assert.match(refused.message, /registration by Ann expired at 2026-01-05/);
  });

  it('takes one registration that holds among several', () => {
    assert.equal(guardEndpoint(PACS, [{ ...REGISTERED, expiresAtMs: 0 }, REGISTERED], NOW).ok, true);
  });
});
