import assert from 'node:assert/strict';
import { it } from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { createSystemRoutes } from './system-routes.ts';

it('health tells which of database and broker does not answer', async () => {
  const well = async (): Promise<void> => {};
  const ill = (): Promise<never> => Promise.reject(new Error('gone'));
  const answers = [];
  for (const [control, brokerHealth] of [
    [ill, well],
    [well, ill],
  ] as const) {
    const store = { control } as unknown as Parameters<typeof createSystemRoutes>[0]['store'];
    const { health } = createSystemRoutes({ store, brokerHealth, clock: systemClock, openApi: {} });
    const { status, body } = await health(undefined as never);
    answers.push([status, body.database, body.broker]);
  }
  assert.deepEqual(answers, [
    [503, 'disconnected', 'connected'],
    [503, 'connected', 'disconnected'],
  ]);
});
