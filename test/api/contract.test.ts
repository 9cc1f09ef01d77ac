import { after, before, describe } from 'node:test';
import { openTestApi, type TestApi } from '../support/api.ts';
import { accountsConform } from './accounts-suite.ts';
import { administrationConforms } from './administration-suite.ts';
import { authorisationConforms } from './authorisation-suite.ts';
import { catalogueConforms } from './catalogue-suite.ts';
import { conventionsConform } from './conventions-suite.ts';
import { metricsConform } from './metrics-suite.ts';
import { runsConform } from './runs-suite.ts';
import { startingRunsConforms } from './starting-runs-suite.ts';
import { toolsConform } from './tools-suite.ts';

/** The wire contract, on one server, since opening its store takes seconds. */
describe('the REST interface', () => {
  let api: TestApi;
  before(async () => {
    api = await openTestApi();
  });
  after(() => api.close());

  const current = () => api;
  accountsConform(current);
  conventionsConform(current);
  catalogueConforms(current);
  startingRunsConforms(current);
  runsConform(current);
  metricsConform(current);
  administrationConforms(current);
  toolsConform(current);
  authorisationConforms(current);
});
