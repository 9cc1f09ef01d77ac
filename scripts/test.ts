/**
 * Everything: installs the services that tests need where it can, then the static checks, the unit tests and the
 * tests against real peers. With CI=true a missing service is a failure; otherwise its tests are skipped.
 */
import { removeStaleFolders } from '../test/support/child.ts';
import { POSTGRES_URL_VARIABLE, startPrivatePostgres } from '../test/support/postgres.ts';
import { RABBITMQ_URL_VARIABLE, startPrivateRabbitmq } from '../test/support/rabbitmq.ts';
import { check } from './check.ts';
import { installServices } from './install-services.ts';
import { printSummary } from './print-summary.ts';
import { runTests, type TestCounts } from './run-tests.ts';

const SUITES = ['test/conformance/**/*.test.ts', 'test/integration/**/*.test.ts', 'test/e2e/**/*.test.ts'];

removeStaleFolders();
const missing = installServices();
if (missing.length > 0) {
  const outcome = process.env.CI === 'true' ? 'this run fails' : 'the tests that need them are skipped';
  console.log(`Not installed: ${missing.join(', ')}; ${outcome}. On Debian or Ubuntu:`);
  console.log(`  sudo apt-get install --no-install-recommends ${missing.join(' ')}`);
}
const total = add(await check(), await runAgainstPeers());
if (process.env.CI === 'true') total.failed += missing.length;
printSummary(total);

/** One PostgreSQL and one RabbitMQ serve all files; each has a database or vhost of its own there. */
async function runAgainstPeers(): Promise<TestCounts> {
  await using servers = new AsyncDisposableStack();
  if (!missing.includes('postgresql')) {
    process.env[POSTGRES_URL_VARIABLE] = servers.use(await startPrivatePostgres()).url;
  }
  if (!missing.includes('rabbitmq-server')) {
    const { url, managementUrl } = servers.use(await startPrivateRabbitmq());
    process.env[RABBITMQ_URL_VARIABLE] = `${url} ${managementUrl}`;
  }
  return await runTests(SUITES);
}

function add(a: TestCounts, b: TestCounts): TestCounts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: [...a.skipped, ...b.skipped],
  };
}
