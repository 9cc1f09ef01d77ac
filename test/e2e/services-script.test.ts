import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { descendantsOf, startProgram, untilGone, yeeter } from '../support/cli.ts';
import { without } from '../support/programs.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/services.ts', import.meta.url));

it('the services to try things with say how Yeeter reaches them, and are gone after Ctrl-C', {
  skip: without('rabbitmq-server', 'postgresql'),
}, async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'yeeter-services-'));
  const services = startProgram(process.execPath, [SCRIPT], cwd, 300_000);
  try {
    await services.said('Press Ctrl-C');
    const lines = services.stdout().matchAll(/^export (RABBITMQ_URL|DATABASE_URL)=(\S+)$/gm);
    const settings = Object.fromEntries([...lines].map(([, name, url]) => [name, url]));
    const end = await yeeter(['bench', 'order-to-image', '-n', '2', '--workers', '1'], cwd, settings);
    assert.equal(end.code, 0, end.stderr);
    assert.doesNotMatch(end.stderr, /confirms what it has not written/);
    const children = descendantsOf(services.pid);
    assert.ok(children.length >= 2);
    // As npm does on a terminal: once to the group, and once more passed on.
    services.process.kill('SIGINT');
    services.process.kill('SIGINT');
    assert.equal((await services.ended).code, 0, services.stderr());
    for (const pid of children) await untilGone(pid);
  } finally {
    services.process.kill('SIGKILL');
    await rm(cwd, { recursive: true, force: true });
  }
});
