import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type {
  ApiKeyRecord,
  Examples,
  NewEndpoint,
  NewGenerator,
  NewTemplate,
  NewUser,
  ServerStore,
  StepDefinition,
  UserRecord,
} from '../../src/storage/server-port.ts';
import { newRun } from './ledger-rows.ts';

/** Stores whose database is one, and in which there is no user yet; they may be of different processes. */
export interface ServerStores {
  one: ServerStore;
  other: ServerStore;
}

function newUser(change: Partial<NewUser> = {}): NewUser {
  const name = `user-${randomUUID()}`;
  return { username: name, email: `${name}@example.org`, passwordHash: 'scrypt$1', ...change };
}

function step(stepOrder: number, change: Partial<StepDefinition> = {}): StepDefinition {
  return {
    stepOrder,
    stepType: 'WAIT',
    parameters: { duration_seconds: 1 },
    execution: null,
    queue: null,
    jobType: null,
    retry: null,
    metadata: null,
    ...change,
  };
}

function newTemplate(userId: number, change: Partial<NewTemplate> = {}): NewTemplate {
  return { userId, name: 'orders', description: null, settings: {}, steps: [step(1)], ...change };
}

const AT = { hostname: '127.0.0.1', port: 1, aeTitle: null, callingAeTitle: null };
const RECEIVERS = {
  mllp: { ...AT, name: 'example-mllp', endpointType: 'MLLP' },
  dicom: { ...AT, name: 'example-dicom', endpointType: 'DICOM_SCP' },
} as const;
const SENT = { generator_template_id: 'example', endpoint_id: 'example-mllp' };
const EXAMPLES: Examples = {
  receivers: null,
  generators: [{ name: 'example', messageType: 'ORM^O01', content: 'MSH|' }],
  templates: [{ name: 'example', description: null, settings: {}, steps: [step(1, { parameters: SENT })] }],
};

/** What the server is promised of what it keeps beside the ledger. */
export function serverConforms(name: string, stores: () => ServerStores): void {
  describe(`${name}, of the server`, () => {
    const store = (): ServerStore => stores().one;
    const aUser = (change: Partial<NewUser> = {}): Promise<UserRecord> => store().createUser(newUser(change));

    it('makes no examples while nobody is there to own them', async () => {
      assert.equal(await store().seedExamples(EXAMPLES), null);
      assert.deepEqual(await store().listGenerators(), []);
    });

    describe('users', () => {
      it('makes one administrator of those that come first at once', async () => {
        const { one, other } = stores();
        assert.deepEqual(await one.listUsers(), [], 'the suite begins without users');
        const sides = [one, other, one, other];
        const users = await Promise.all(sides.map((side) => side.createUser(newUser())));
        assert.equal(users.filter(({ isAdmin }) => isAdmin).length, 1);
        assert.deepEqual(
          await other.listUsers(),
          users.toSorted((a, b) => a.id - b.id),
        );
      });

      it('gives a name once, whatever its case and however many ask', async () => {
        const { one, other } = stores();
        const name = `Jörg-${randomUUID()}`;
        const tries = await Promise.allSettled([
          one.createUser(newUser({ username: name })),
          other.createUser(newUser({ username: name.toUpperCase() })),
          other.createUser(newUser({ username: name.normalize('NFD') })),
        ]);
        const refused = tries.flatMap((tried) => (tried.status === 'rejected' ? [tried.reason] : []));
        assert.deepEqual(
          refused.map(({ code }) => code),
          ['NAME_TAKEN', 'NAME_TAKEN'],
        );
        assert.match(refused[0].message, /the name .* is taken/);
        const found = (await one.findUser(name.toLowerCase()))!;
        assert.equal(found.username.normalize('NFC').toLowerCase(), name.toLowerCase());
        assert.equal(await one.findUser(`${name}?`), null);
        assert.equal(await one.findUser('\0'), null);
      });

      it('gives a mail address once', async () => {
        const { email } = await aUser();
        const again = aUser({ email: email.toUpperCase() });
        await assert.rejects(again, { code: 'NAME_TAKEN', message: /the mail address .* is taken/ });
      });

      it('gives back a user as it was given', async () => {
        const given = newUser();
        const user = await store().createUser(given);
        assert.deepEqual(user, { ...given, id: user.id, isAdmin: false, createdAtMs: user.createdAtMs });
        assert.ok(Math.abs(user.createdAtMs - Date.now()) < 600_000);
        assert.deepEqual(await store().getUser(user.id), user);
        assert.equal(await store().getUser(user.id + 1000), null);
      });

      it('never lets the last administrator go, also when two go at once', async () => {
        const { one, other } = stores();
        const first = (await one.listUsers()).find(({ isAdmin }) => isAdmin)!;
        await assert.rejects(one.setAdmin(first.id, false), { code: 'LAST_ADMIN' });
        await assert.rejects(one.deleteUser(first.id), { code: 'LAST_ADMIN' });
        const second = await aUser();
        assert.equal((await one.setAdmin(second.id, true))?.isAdmin, true);
        const tries = await Promise.allSettled([one.setAdmin(first.id, false), other.deleteUser(second.id)]);
        const refused = tries.flatMap((tried) => (tried.status === 'rejected' ? [tried.reason.code] : []));
        assert.deepEqual(refused, ['LAST_ADMIN']);
        const admins = (await one.listUsers()).filter(({ isAdmin }) => isAdmin);
        assert.equal(admins.length, 1);
        assert.equal(await one.setAdmin(second.id + 1000, true), null);
      });

      it('deletes a user with its keys, and leaves its runs without an owner', async () => {
        const user = await aUser();
        const digest = randomUUID();
        await store().createApiKey({ userId: user.id, name: 'ci', prefix: 'ytr_abcd', digest });
        const generator = await store().createGenerator(newGenerator(user.id));
        const run = await store().createRun(newRun({ userId: user.id }));
        assert.equal(await store().deleteUser(user.id), true);
        assert.equal(await store().deleteUser(user.id), false);
        assert.equal(await store().getUser(user.id), null);
        assert.equal(await store().findApiKey(digest), null);
        assert.deepEqual(await store().listApiKeys(user.id), []);
        assert.equal((await store().getRun(run.id)).userId, null);
        assert.deepEqual(await store().getGenerator(generator.id), generator);
      });
    });

    describe('API keys', () => {
      it('are found by their digest, listed newest first and deleted by their owner', async () => {
        const [owner, stranger] = [await aUser(), await aUser()];
        const digests = [randomUUID(), randomUUID()];
        const keys: ApiKeyRecord[] = [];
        for (const digest of digests) {
          const given = { userId: owner.id, name: `key ${keys.length}`, prefix: 'ytr_abcd' };
          const key = await store().createApiKey({ ...given, digest });
          const { id, createdAtMs } = key;
          assert.deepEqual(key, { ...given, id, createdAtMs, lastUsedAtMs: null, isActive: true });
          keys.push(key);
        }
        assert.deepEqual(await store().listApiKeys(owner.id), keys.toReversed());
        assert.deepEqual(await store().listApiKeys(stranger.id), []);
        assert.deepEqual(await store().findApiKey(digests[1]!), { keyId: keys[1]!.id, user: owner });
        assert.equal(await store().findApiKey(randomUUID()), null);
        assert.equal(await store().deleteApiKey(stranger.id, keys[1]!.id), false);
        assert.equal(await store().deleteApiKey(owner.id, keys[1]!.id), true);
        assert.equal(await store().deleteApiKey(owner.id, keys[1]!.id), false);
        assert.equal(await store().findApiKey(digests[1]!), null);
      });

      it('keep the latest of their uses, in whatever order those are told', async () => {
        const { id: userId } = await aUser();
        const keys = [];
        for (let i = 0; i < 3; i++)
          keys.push(await store().createApiKey({ userId, name: 'n', prefix: 'p', digest: randomUUID() }));
        const [a, b, c] = keys.map(({ id }) => id) as [number, number, number];
        const use = (keyId: number, usedAtMs: number) => ({ keyId, usedAtMs });
        await store().touchApiKeys([]);
        await store().touchApiKeys([use(a, 5.4), use(b, 30), use(a, 20), use(c + 1000, 1)]);
        await store().touchApiKeys([use(b, 10), use(a, 40)]);
        const used = new Map((await store().listApiKeys(userId)).map((key) => [key.id, key.lastUsedAtMs]));
        assert.deepEqual([used.get(a), used.get(b), used.get(c)], [40, 30, null]);
      });

      it('may be touched by several processes in any order', async () => {
        const { one, other } = stores();
        const { id: userId } = await aUser();
        const ids: number[] = [];
        for (let i = 0; i < 20; i++)
          ids.push((await one.createApiKey({ userId, name: 'n', prefix: 'p', digest: randomUUID() })).id);
        for (let round = 1; round <= 20; round++) {
          const uses = ids.map((keyId) => ({ keyId, usedAtMs: round }));
          await Promise.all([one.touchApiKeys(uses), other.touchApiKeys(uses.toReversed())]);
        }
        const keys = await one.listApiKeys(userId);
        assert.ok(keys.every(({ lastUsedAtMs }) => lastUsedAtMs === 20));
      });
    });

    describe('generators', () => {
      it('are kept as they were given, listed by name, changed in part and deleted', async () => {
        const { id: userId } = await aUser();
        const content = 'MSH|^~\\&|"ä"\r\nPID|{$Faker.Patient.MRN}\r';
        const names = ['zz order 10', 'ZZ order 2', 'zz Order 1'];
        for (const name of names) {
          const given = newGenerator(userId, { name, content });
          const generator = await store().createGenerator(given);
          assert.deepEqual(generator, { ...given, id: generator.id, createdAtMs: generator.createdAtMs });
          assert.deepEqual(await store().getGenerator(generator.id), generator);
        }
        const listed = (await store().listGenerators()).filter((generator) => generator.userId === userId);
        assert.deepEqual(
          listed.map(({ name }) => name),
          names.toReversed(),
        );
        const [first] = listed;
        assert.deepEqual(await store().updateGenerator(first!.id, {}), first);
        const renamed = await store().updateGenerator(first!.id, { name: 'b' });
        assert.deepEqual(renamed, { ...first, name: 'b' });
        assert.equal(await store().updateGenerator(first!.id + 1000, { name: 'b' }), null);
        assert.equal(await store().deleteGenerator(first!.id), true);
        assert.equal(await store().deleteGenerator(first!.id), false);
        assert.equal(await store().getGenerator(first!.id), null);
      });

      it('stand a NUL in their text', async () => {
        const { id: userId } = await aUser();
        const { content } = await store().createGenerator(newGenerator(userId, { content: 'a\0b' }));
        assert.equal(content, 'a\ufffdb');
      });
    });

    describe('endpoints', () => {
      it('are kept as they were given, listed by name, changed in part and deleted', async () => {
        const { id: userId } = await aUser();
        const given: NewEndpoint = {
          userId,
          name: 'zz pacs',
          endpointType: 'DICOM_SCP',
          hostname: '127.0.0.1',
          port: 11112,
          aeTitle: 'PACS',
          callingAeTitle: null,
        };
        const pacs = await store().createEndpoint(given);
        assert.deepEqual(pacs, { ...given, id: pacs.id });
        const ris = await store().createEndpoint({ ...given, name: 'ZZ order', endpointType: 'MLLP' });
        const own = (await store().listEndpoints()).filter((endpoint) => endpoint.userId === userId);
        assert.deepEqual(own, [ris, pacs]);
        const changed = await store().updateEndpoint(pacs.id, { aeTitle: null, port: 104 });
        assert.deepEqual(changed, { ...pacs, aeTitle: null, port: 104 });
        assert.deepEqual(await store().getEndpoint(pacs.id), changed);
        assert.deepEqual(await store().updateEndpoint(pacs.id, {}), changed);
        assert.equal(await store().deleteEndpoint(pacs.id), true);
        assert.equal(await store().deleteEndpoint(pacs.id), false);
        assert.equal(await store().updateEndpoint(pacs.id, { port: 1 }), null);
      });
    });

    describe('templates', () => {
      const odd = {
        zulu: 1,
        alpha: { b: [null, true, 1.5e300, 9007199254740991], a: '\u0000 "ü" \u2028' },
        queue_retry_limit: '3',
      };

      it('give back what was sent unchanged, to the order of its keys', async () => {
        const { id: userId } = await aUser();
        const retry = { max_attempts: 2, delay_ms: 0 };
        const given = newTemplate(userId, {
          description: '',
          settings: odd,
          steps: [
            step(2, { execution: 'async', queue: 'q', jobType: 'j', retry, metadata: odd }),
            step(1, { stepType: 'GENERATE_HL7', parameters: odd }),
          ],
        });
        const template = await store().createTemplate(given);
        const { id, createdAtMs, steps } = template;
        assert.deepEqual(
          steps.map(({ id: _, ...sent }) => sent),
          given.steps.toReversed(),
        );
        assert.equal(JSON.stringify(steps[0]!.parameters), JSON.stringify(odd));
        assert.equal(JSON.stringify(template.settings), JSON.stringify(odd));
        assert.deepEqual({ ...template, steps: given.steps }, { ...given, id, createdAtMs });
        assert.deepEqual(await store().getTemplate(id), template);
        assert.equal(await store().getTemplate(id + 1000), null);
      });

      it('are listed by name, those of a user alone, also without steps', async () => {
        const [one, two] = [await aUser(), await aUser()];
        for (const name of ['b', 'C', 'a'])
          await store().createTemplate(newTemplate(one.id, { name, steps: name === 'C' ? [] : [step(1)] }));
        await store().createTemplate(newTemplate(two.id));
        const listed = await store().listTemplates(one.id);
        assert.deepEqual(
          listed.map(({ name, steps }) => `${name}${steps.length}`),
          ['a1', 'b1', 'C0'],
        );
      });

      it('are changed in part; steps are replaced as a whole', async () => {
        const { id: userId } = await aUser();
        const steps = [step(1), step(2)];
        const template = await store().createTemplate(newTemplate(userId, { steps }));
        const renamed = await store().updateTemplate(template.id, { name: 'renamed', description: 'd' });
        assert.deepEqual(renamed, { ...template, name: 'renamed', description: 'd' });
        const shorter = await store().updateTemplate(template.id, { steps: [step(1, { queue: 'q' })] });
        assert.equal(shorter!.steps.length, 1);
        assert.equal(shorter!.steps[0]!.queue, 'q');
        assert.deepEqual(await store().updateTemplate(template.id, {}), shorter);
        assert.deepEqual((await store().updateTemplate(template.id, { steps: [] }))!.steps, []);
        assert.equal(await store().updateTemplate(template.id + 1000, { name: 'x' }), null);
      });

      it('tells whether one of them names a queue', async () => {
        const { id: userId } = await aUser();
        const queue = `named "${randomUUID()}"`;
        assert.equal(await store().isNamedByTemplate(queue), false);
        await store().createTemplate(
          newTemplate(userId, { steps: [step(1, { execution: 'async', queue })] }),
        );
        assert.equal(await stores().other.isNamedByTemplate(queue), true);
      });

      it('have the steps of one of two changes at once', async () => {
        const { one, other } = stores();
        const { id } = await one.createTemplate(newTemplate((await aUser()).id));
        const three = (queue: string) => [1, 2, 3].map((order) => step(order, { queue }));
        await Promise.all([
          one.updateTemplate(id, { steps: three('a') }),
          other.updateTemplate(id, { steps: three('b') }),
          one.updateTemplate(id, { steps: three('c') }),
        ]);
        const { steps } = (await one.getTemplate(id))!;
        assert.equal(steps.length, 3);
        assert.equal(new Set(steps.map(({ queue }) => queue)).size, 1);
      });

      it('stay while runs refer to them', async () => {
        const { id: userId } = await aUser();
        const { id } = await store().createTemplate(newTemplate(userId));
        const run = await store().createRun(newRun({ userId, templateId: id }));
        assert.equal((await store().getRun(run.id)).templateId, id);
        await assert.rejects(store().deleteTemplate(id), {
          code: 'TEMPLATE_IN_USE',
          message: new RegExp(`run ${run.id} `),
        });
        await store().transitionRun(run.id, 'over_failed');
        assert.deepEqual(await store().deleteRuns([run.id]), [run.id]);
        assert.equal(await store().deleteTemplate(id), true);
        assert.equal(await store().deleteTemplate(id), false);
        assert.equal(await store().getTemplate(id), null);
      });

      it('are not deleted under a run that is made meanwhile', async () => {
        const { one, other } = stores();
        const { id: userId } = await aUser();
        for (let round = 0; round < 5; round++) {
          const { id } = await one.createTemplate(newTemplate(userId));
          const [made, deleted] = await Promise.allSettled([
            one.createRun(newRun({ userId, templateId: id })),
            other.deleteTemplate(id),
          ]);
          const kept = (await one.getTemplate(id)) !== null;
          assert.equal(made.status === 'fulfilled', kept);
          assert.equal(deleted.status === 'rejected', kept);
        }
      });
    });

    describe('settings', () => {
      it('are null until they are set, and then what they were set to', async () => {
        const key = randomUUID();
        assert.equal(await store().getSetting(key), null);
        for (const value of [{ b: 1, a: [true, null] }, '3', 'text', 0, false, [], 'ä\u0000'])
          assert.deepEqual(
            await store()
              .putSetting(key, value)
              .then(() => stores().other.getSetting(key)),
            value,
          );
        await store().putSetting(key, null);
        assert.equal(await store().getSetting(key), null);
      });

      it('begin with one of the values that several processes begin with', async () => {
        const { one, other } = stores();
        const key = randomUUID();
        const values = await Promise.all([one, other, one].map((side, i) => side.initSetting(key, { i })));
        assert.deepEqual(values[1], values[0]);
        assert.deepEqual(values[2], values[0]);
        await one.putSetting(key, 'set');
        assert.equal(await other.initSetting(key, 'first'), 'set');
      });

      it('change in part, and no part is lost when several processes change theirs at once', async () => {
        const { one, other } = stores();
        const key = randomUUID();
        const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
        await Promise.all(names.map((name, i) => (i % 2 ? one : other).mergeSetting(key, { [name]: i })));
        const all = Object.fromEntries(names.map((name, i) => [name, i]));
        assert.deepEqual(await one.getSetting(key), all);
        await other.mergeSetting(key, { n0: 'ä\u0000', n1: null });
        assert.deepEqual(await one.getSetting(key), { ...all, n0: 'ä\u0000', n1: null });
        await one.putSetting(key, null);
        await one.mergeSetting(key, { n0: 1 });
        assert.deepEqual(await other.getSetting(key), { n0: 1 });
      });
    });

    describe('examples', () => {
      it('are made once, whoever asks at once, and receivers once there are some', async () => {
        const { one, other } = stores();
        const admin = (await one.listUsers()).find(({ isAdmin }) => isAdmin)!;
        const generators = async () => (await one.listGenerators()).filter(({ name }) => name === 'example');
        const templates = async () =>
          (await one.listTemplates(admin.id)).filter(({ name }) => name === 'example');
        await Promise.all([one, other, one, other].map((side) => side.seedExamples(EXAMPLES)));
        const [generator, ...moreGenerators] = await generators();
        const [template, ...moreTemplates] = await templates();
        assert.deepEqual([moreGenerators, moreTemplates], [[], []]);
        assert.equal(generator!.userId, admin.id);
        const numbered = { generator_template_id: generator!.id, endpoint_id: 'example-mllp' };
        assert.deepEqual(template!.steps[0]!.parameters, numbered);

        await one.deleteTemplate(template!.id);
        const own = await one.createEndpoint({ ...RECEIVERS.dicom, userId: admin.id, port: 104 });
        const withReceivers = { ...EXAMPLES, receivers: RECEIVERS };
        const ids = await Promise.all([one, other].map((side) => side.seedExamples(withReceivers)));
        assert.deepEqual(await templates(), [], 'what was deleted stays away');
        const made = (await one.listEndpoints()).filter(({ name }) => name.startsWith('example-'));
        const mllp = made.find(({ name }) => name === RECEIVERS.mllp.name)!;
        assert.deepEqual(made, [own, mllp], 'an endpoint that has the name stays the only one');
        assert.deepEqual(mllp, { ...RECEIVERS.mllp, userId: admin.id, id: mllp.id });
        assert.deepEqual(ids, [{ mllpId: mllp.id }, { mllpId: mllp.id }]);
      });
    });
  });
}

function newGenerator(userId: number, change: Partial<NewGenerator> = {}): NewGenerator {
  return { userId, name: 'order', messageType: 'ORM^O01', content: 'MSH|', ...change };
}
