/**
 * The services of the tests, for trying things by hand: starts them, says where they listen, and stops them on
 * Ctrl-C. Nothing is left behind.
 */
import { onInterrupt } from '../src/cli/interrupt.ts';
import { startOrthanc } from '../test/support/orthanc.ts';
import { startPrivatePostgres } from '../test/support/postgres.ts';
import {
  startPrivateRabbitmq,
  startPythonHl7Receiver,
  startStorescp,
  without,
} from '../test/support/services.ts';

/** People keep what they try for longer than a test does, and it is shown without a warning. */
const DURABLE = ['fsync = on', 'full_page_writes = on'];

/** `variable` is the setting of Yeeter that a service's URL is for. */
const SERVICES = [
  { name: 'RabbitMQ', needs: 'rabbitmq-server', variable: 'RABBITMQ_URL', start: startPrivateRabbitmq },
  {
    name: 'PostgreSQL',
    needs: 'postgresql',
    variable: 'DATABASE_URL',
    start: () => startPrivatePostgres(DURABLE),
  },
  { name: 'storescp, which drops what it receives', needs: 'dcmtk', start: startStorescp },
  { name: 'Orthanc', needs: 'orthanc', start: startOrthanc },
  { name: 'python-hl7 receiver', needs: 'python3-hl7', start: startPythonHl7Receiver },
] as const;

const interrupted = Promise.withResolvers<void>();
let stopping = false;
using _ = onInterrupt(() => {
  stopping = true;
  interrupted.resolve();
});
await using running = new AsyncDisposableStack();
const exports: string[] = [];
for (const { name, needs, start, ...rest } of SERVICES) {
  if (stopping) break;
  const reason = without(needs);
  if (reason !== false) {
    console.log(`${name}: ${reason}`);
    continue;
  }
  const service = running.use(await start());
  console.log(`${name}: ${service.host}:${service.port}`);
  if ('variable' in rest && 'url' in service) exports.push(`export ${rest.variable}=${service.url}`);
}
if (!stopping) {
  if (exports.length > 0) console.log(['', 'For Yeeter in another terminal:', ...exports, ''].join('\n'));
  console.log('Press Ctrl-C to stop them.');
  const alive = setInterval(() => {}, 60_000);
  await interrupted.promise;
  clearInterval(alive);
}
