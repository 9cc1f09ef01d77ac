/**
 * The services of the tests, for trying things by hand: starts them, says where they listen, and stops them on
 * Ctrl-C. Nothing is left behind.
 */
import { once } from 'node:events';
import { startOrthanc } from '../test/support/orthanc.ts';
import { startPrivatePostgres } from '../test/support/postgres.ts';
import { startPythonHl7Receiver, startStorescp, without } from '../test/support/services.ts';

const SERVICES = [
  { name: 'PostgreSQL', needs: 'postgresql', start: startPrivatePostgres },
  { name: 'storescp, which drops what it receives', needs: 'dcmtk', start: startStorescp },
  { name: 'Orthanc', needs: 'orthanc', start: startOrthanc },
  { name: 'python-hl7 receiver', needs: 'python3-hl7', start: startPythonHl7Receiver },
] as const;

await using running = new AsyncDisposableStack();
for (const { name, needs, start } of SERVICES) {
  const reason = without(needs);
  if (reason !== false) {
    console.log(`${name}: ${reason}`);
    continue;
  }
  const service = running.use(await start());
  console.log(`${name}: ${service.host}:${service.port}`);
}
console.log('Press Ctrl-C to stop them.');
const alive = setInterval(() => {}, 60_000);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
clearInterval(alive);
