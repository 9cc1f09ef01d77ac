import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { digestOf, isApiKey, makeApiKey } from './api-keys.ts';
import { createPasswords } from './password.ts';
import { createRateLimit } from './rate-limit.ts';
import { createTokens } from './tokens.ts';

describe('passwords', () => {
  it('verify against their own hash alone, which says how it was made', async () => {
    const passwords = createPasswords(4);
    const stored = await passwords.hash('pässword');
    assert.match(stored, /^scrypt\$ln=4,r=8,p=3\$/);
    assert.notEqual(await passwords.hash('pässword'), stored);
    assert.equal(await passwords.verify('pässword', stored), true);
    assert.equal(await passwords.verify('pa\u0308ssword', stored), true);
    assert.equal(await passwords.verify('password', stored), false);
    for (const broken of [null, '', 'plain', 'scrypt$ln=4,r=8,p=3$$', `${stored}$`])
      assert.equal(await passwords.verify('pässword', broken), false);
  });

  it('outlive a change of the cost', async () => {
    const stored = await createPasswords(4).hash('correct horse');
    assert.equal(await createPasswords(6).verify('correct horse', stored), true);
  });
});

describe('tokens', () => {
  const tokensAt = (nowMs: number) =>
    createTokens({
      secret: 'a secret of tests, which is long enough',
      expiresHours: 1,
      clock: { ...systemClock, nowMs: () => nowMs },
    });

  it('hold neither - nor _ in their payload, whoever they are for', async () => {
    const tokens = tokensAt(1_790_000_000_000);
    for (const userId of [1, 7, 42, 999, 123_456_789, Number.MAX_SAFE_INTEGER])
      for (let i = 0; i < 50; i++) assert.doesNotMatch((await tokens.sign(userId)).split('.')[1]!, /[-_]/);
  });

  it('are worth something until they end', async () => {
    const token = await tokensAt(1_790_000_000_000).sign(7);
    const claims = { userId: 7, expiresAtMs: 1_790_003_600_000 };
    assert.deepEqual(await tokensAt(1_790_003_599_000).verify(token), claims);
    assert.equal(await tokensAt(1_790_003_601_000).verify(token), null);
    assert.equal(await tokensAt(1_790_000_000_000).verify('x'.repeat(3000)), null);
  });
});

it('API keys are 43 random url-safe characters, found by their digest', () => {
  const [one, two] = [makeApiKey(), makeApiKey()];
  assert.match(one.raw, /^ytr_[\w-]{43}$/);
  assert.notEqual(one.raw, two.raw);
  assert.equal(one.digest, digestOf(one.raw));
  assert.ok(isApiKey(one.raw) && !isApiKey(`${one.raw}x`));
});

describe('a rate limit', () => {
  it('lets so many through in a window, and as many in the next', () => {
    let now = 0;
    const limit = createRateLimit({ limit: 2, windowMs: 60_000, now: () => now });
    for (let i = 0; i < 2; i++) {
      assert.equal(limit.waitFor('a'), 0);
      limit.count('a');
    }
    assert.equal(limit.waitFor('a'), 60);
    assert.equal(limit.waitFor('b'), 0);
    limit.forgive('a');
    assert.equal(limit.waitFor('a'), 0);
    limit.count('a');
    now = 60_000;
    assert.equal(limit.waitFor('a'), 0);
  });

  it('remembers a bounded number of keys, the newest', () => {
    const limit = createRateLimit({ limit: 1, windowMs: 60_000, now: () => 0, maxKeys: 3 });
    for (const key of ['a', 'b', 'c', 'd']) limit.count(key);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => limit.waitFor(key) > 0),
      [false, true, true, true],
    );
  });
});
