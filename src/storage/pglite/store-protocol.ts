import type { ErrorCode } from '../../lib/errors.ts';
import type { SqlServerStore } from '../open-sql-store.ts';

/** Methods of the store that are called from other threads. */
export const STORE_METHODS = [
  'deployment',
  'claimNamespaces',
  'createRun',
  'getRun',
  'listRuns',
  'transitionRun',
  'requestCancel',
  'writeEncodedLedger',
  'runTotals',
  'runAccounts',
  'finishedIterations',
  'countFinished',
  'readAttempts',
  'readIterations',
  'readEvents',
  'readWindows',
  'readHealth',
  'readDepths',
  'listTargets',
  'registerTarget',
  'removeTarget',
  'claimRun',
  'renewLease',
  'releaseLease',
  'forgetLeases',
  'setStarted',
  'runCounts',
  'runProgress',
  'handedOffIterations',
  'shareEndpoint',
  'leaveEndpoint',
  'takeBytes',
  'giveBytesBack',
  'control',
  'setQueueMode',
  'heartbeat',
  'listWorkers',
  'heldJobs',
  'isNamedByTemplate',
  'settlementOf',
  'deadJobs',
  'reopenJobs',
  'createUser',
  'getUser',
  'findUser',
  'listUsers',
  'setAdmin',
  'deleteUser',
  'createApiKey',
  'listApiKeys',
  'deleteApiKey',
  'findApiKey',
  'touchApiKeys',
  'seedExamples',
  'createGenerator',
  'getGenerator',
  'listGenerators',
  'updateGenerator',
  'deleteGenerator',
  'createTemplate',
  'getTemplate',
  'listTemplates',
  'updateTemplate',
  'deleteTemplate',
  'createEndpoint',
  'getEndpoint',
  'listEndpoints',
  'updateEndpoint',
  'deleteEndpoint',
  'listRunSummaries',
  'runSummary',
  'totalsOfRuns',
  'deleteRuns',
  'eventWindow',
  'eventFacts',
  'attemptWindow',
  'listAttempts',
  'workerThroughput',
  'deadJobPage',
  'getSetting',
  'putSetting',
  'initSetting',
  'mergeSetting',
  'addDecision',
  'settleDecision',
  'listDecisions',
  'addAudit',
  'listAudit',
  'addListenerMessage',
  'listListenerMessages',
  'getListenerMessage',
  'deleteListenerMessage',
] as const satisfies readonly (keyof SqlServerStore)[];

export type StoreMethod = (typeof STORE_METHODS)[number];

export interface StoreRequest {
  id: number;
  method: StoreMethod;
  parameters: readonly unknown[];
}

/** An error as it crosses threads; structured clone would keep neither class nor code. */
export interface PlainError {
  code: ErrorCode;
  message: string;
  retryable: boolean;
}

export type StoreResponse = { id: number } & ({ value: unknown } | { error: PlainError });
