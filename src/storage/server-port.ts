import type { EndpointType } from '../domain/endpoint.ts';
import type { RunStatus } from '../domain/run-state.ts';
import type { CoordinationPort, DeadJob } from './coordination-port.ts';
import type { EventStatus, RunTotals, StoredAttempt, StoredEvent } from './port.ts';

export interface NewUser {
  username: string;
  email: string;
  /** As `api/auth` makes it; never leaves the server. */
  passwordHash: string;
}

export interface UserRecord extends NewUser {
  id: number;
  isAdmin: boolean;
  createdAtMs: number;
}

export interface NewApiKey {
  userId: number;
  name: string;
  /** The first characters, to recognise it by. */
  prefix: string;
  /** SHA-256 of the whole key, hex. */
  digest: string;
}

export interface ApiKeyRecord extends Omit<NewApiKey, 'digest'> {
  id: number;
  createdAtMs: number;
  lastUsedAtMs: number | null;
  isActive: boolean;
}

export interface NewGenerator {
  userId: number;
  name: string;
  messageType: string;
  content: string;
}

export interface GeneratorRecord extends NewGenerator {
  id: number;
  createdAtMs: number;
}

/** One step as a client wrote it; what is null was not given. */
export interface StepDefinition {
  stepOrder: number;
  stepType: string;
  /** As sent, to come back unchanged. */
  parameters: Readonly<Record<string, unknown>>;
  execution: string | null;
  queue: string | null;
  jobType: string | null;
  retry: Readonly<Record<string, unknown>> | null;
  metadata: Readonly<Record<string, unknown>> | null;
}

export interface StoredStep extends StepDefinition {
  id: number;
}

export interface NewTemplate {
  userId: number;
  name: string;
  description: string | null;
  /** Fields of a template beside its steps (`on_failure`, `case_mix`, `stations`, ...), as sent. */
  settings: Readonly<Record<string, unknown>>;
  steps: readonly StepDefinition[];
}

export interface TemplateRecord extends Omit<NewTemplate, 'steps'> {
  id: number;
  createdAtMs: number;
  /** By their order. */
  steps: readonly StoredStep[];
}

export interface NewEndpoint {
  userId: number;
  name: string;
  endpointType: EndpointType;
  hostname: string;
  port: number;
  /** Called AE title. */
  aeTitle: string | null;
  /** Calling AE title. */
  callingAeTitle: string | null;
}

export interface EndpointRecord extends NewEndpoint {
  id: number;
}

/** What comes with the program; whoever is administrator first owns it. */
export interface Examples {
  /** Endpoints of the receivers that come with the server; null where there are none. */
  receivers: { mllp: Omit<NewEndpoint, 'userId'>; dicom: Omit<NewEndpoint, 'userId'> } | null;
  generators: readonly Omit<NewGenerator, 'userId'>[];
  /** Steps name generators and receivers; names of those that are made become their numbers. */
  templates: readonly Omit<NewTemplate, 'userId'>[];
}

/** Numbers of the receivers' endpoints, of those that were made. */
export interface ReceiverIds {
  mllpId?: number;
  dicomId?: number;
}

/** What lists show of a run; without its template, which may be long. */
export interface RunSummary {
  id: number;
  userId: number | null;
  username: string | null;
  templateId: number | null;
  templateName: string;
  patientCount: number;
  status: RunStatus;
  tags: readonly string[];
  seed: number;
  namespace: number;
  startedIterations: number;
  createdAtMs: number;
  updatedAtMs: number;
  startedAtMs: number | null;
  completedAtMs: number | null;
}

export interface RunFilter {
  /** Absent: of everybody. */
  userId?: number;
  runId?: number;
  templateId?: number;
  status?: RunStatus;
  /** started_at >= */
  startedFromMs?: number;
  /** completed_at <= */
  completedToMs?: number;
  /** Exclusive; for paging from the newest to the oldest. */
  beforeId?: number;
  limit: number;
}

export interface AttemptFilter {
  /** Of runs of this user; absent: of everybody. */
  userId?: number;
  runId?: number;
  queue?: string;
  success?: boolean;
  /** Exclusive; for paging from the newest to the oldest. */
  beforeId?: number;
  limit: number;
}

export interface WindowedPage {
  limit: number;
  offset: number;
  /** Of which end the window is counted from; the rows of the window are always ascending for events. */
  order: 'asc' | 'desc';
}

export interface EventCount {
  stepOrder: number;
  status: EventStatus;
  count: number;
}

export interface EventFacts {
  counts: readonly EventCount[];
  firstAtMs: number | null;
  lastAtMs: number | null;
  maxIteration: number;
  /** Newest FAILURE. */
  lastFailure: StoredEvent | null;
}

/** Handling of one worker in one run. */
export interface WorkerThroughput {
  workerId: string;
  jobs: number;
  succeeded: number;
  busyUs: number;
  firstAtMs: number;
  lastAtMs: number;
}

/** One evaluation of the scaler, or one act of a person. */
export interface ScalingDecision {
  atMs: number;
  /** `manual`, `dry_run`, `clear_override`, `scale_up`, `scale_down`, `bounds`, `none`. */
  action: string;
  /** Who or what asked; a username, or `autoscaler`. */
  actor: string;
  reason: string | null;
  queueDepth: number | null;
  currentReplicas: number | null;
  targetReplicas: number;
  /** False for a dry run, where nothing was to change, and where an error says why it could not be. */
  applied: boolean;
  error: string | null;
  /** Of a manual override; null for good. */
  expiresAtMs: number | null;
}

export type DecisionOutcome = Pick<ScalingDecision, 'applied' | 'error'>;

export interface SettingPatch {
  key: string;
  patch: Readonly<Record<string, unknown>>;
}

export interface StoredDecision extends ScalingDecision {
  id: number;
}

/** An administrative act. */
export interface AuditEntry {
  atMs: number;
  userId: number | null;
  username: string | null;
  /** For example `user.delete`. */
  action: string;
  /** What it was done to, for example `user 7`. */
  object: string;
  details: Readonly<Record<string, unknown>>;
  address: string | null;
}

export interface NewListenerMessage {
  receivedAtMs: number;
  messageType: string | null;
  controlId: string | null;
  sendingApp: string | null;
  rawMessage: string;
}

export interface ListenerMessage extends NewListenerMessage {
  id: number;
}

/** The runs that a listener's search and page select. */
export interface ListenerPage {
  items: readonly Omit<ListenerMessage, 'rawMessage'>[];
  total: number;
}

/**
 * What the server keeps beside the ledger. Methods are units of work, like those of `StoragePort`. Names and mail
 * addresses of users are unique without regard to case; names of generators, endpoints and templates need not be. Text
 * that a database cannot hold (NUL) is replaced by U+FFFD.
 */
export interface ServerPort {
  /** The first user becomes administrator, whatever comes at once. @throws {YeeterError} NAME_TAKEN */
  createUser(user: NewUser): Promise<UserRecord>;
  getUser(id: number): Promise<UserRecord | null>;
  /** Without regard to case. */
  findUser(username: string): Promise<UserRecord | null>;
  /** By id. */
  listUsers(): Promise<UserRecord[]>;
  /** Null when there is no such user. @throws {YeeterError} LAST_ADMIN when nobody would be left */
  setAdmin(id: number, isAdmin: boolean): Promise<UserRecord | null>;
  /** With its keys; what it owned stays, without an owner for runs. @throws {YeeterError} LAST_ADMIN */
  deleteUser(id: number): Promise<boolean>;

  createApiKey(key: NewApiKey): Promise<ApiKeyRecord>;
  /** Newest first. */
  listApiKeys(userId: number): Promise<ApiKeyRecord[]>;
  deleteApiKey(userId: number, id: number): Promise<boolean>;
  /** By the indexed digest; null when there is none, or it is not active. */
  findApiKey(digest: string): Promise<{ keyId: number; user: UserRecord } | null>;
  touchApiKeys(uses: readonly { keyId: number; usedAtMs: number }[]): Promise<void>;

  createGenerator(generator: NewGenerator): Promise<GeneratorRecord>;
  getGenerator(id: number): Promise<GeneratorRecord | null>;
  /** By name. */
  listGenerators(): Promise<GeneratorRecord[]>;
  updateGenerator(id: number, change: Partial<Omit<NewGenerator, 'userId'>>): Promise<GeneratorRecord | null>;
  deleteGenerator(id: number): Promise<boolean>;

  createTemplate(template: NewTemplate): Promise<TemplateRecord>;
  getTemplate(id: number): Promise<TemplateRecord | null>;
  /** Of one user, by name. */
  listTemplates(userId: number): Promise<TemplateRecord[]>;
  /** `steps` replaces all. */
  updateTemplate(id: number, change: Partial<Omit<NewTemplate, 'userId'>>): Promise<TemplateRecord | null>;
  /** @throws {YeeterError} TEMPLATE_IN_USE when runs refer to it */
  deleteTemplate(id: number): Promise<boolean>;

  /**
   * Makes generators and templates when it never did, and receivers once some are given, except where another endpoint
   * has the name; each once, whatever processes ask at once. @returns null where nobody is administrator yet
   */
  seedExamples(examples: Examples): Promise<ReceiverIds | null>;

  createEndpoint(endpoint: NewEndpoint): Promise<EndpointRecord>;
  getEndpoint(id: number): Promise<EndpointRecord | null>;
  /** By name. */
  listEndpoints(): Promise<EndpointRecord[]>;
  updateEndpoint(id: number, change: Partial<Omit<NewEndpoint, 'userId'>>): Promise<EndpointRecord | null>;
  deleteEndpoint(id: number): Promise<boolean>;

  /** Newest first. */
  listRunSummaries(filter: RunFilter): Promise<RunSummary[]>;
  /** @throws {YeeterError} RUN_NOT_FOUND */
  runSummary(runId: number): Promise<RunSummary>;
  /**
   * Totals of several runs, in no order; runs that are not there are left out. Those of runs that were over a minute
   * ago are kept, and cheap: rows that come later than that are not in them. Totals that took long to add up are used
   * again for a while, so that they may be as old as five times what they take.
   */
  totalsOfRuns(runIds: readonly number[]): Promise<RunTotals[]>;
  /**
   * With every row of them, which takes seconds for a run of a million jobs; the runs themselves are gone at once. Runs
   * that are not over stay. @returns the ids of those that were deleted
   */
  deleteRuns(runIds: readonly number[]): Promise<number[]>;

  /** A window of a run's stored events, ascending. */
  eventWindow(runId: number, page: WindowedPage): Promise<{ total: number; events: StoredEvent[] }>;
  eventFacts(runId: number): Promise<EventFacts>;
  /** A window of a run's attempts, in the order that is asked for. */
  attemptWindow(runId: number, page: WindowedPage): Promise<{ total: number; attempts: StoredAttempt[] }>;
  /** Newest first. */
  listAttempts(filter: AttemptFilter): Promise<StoredAttempt[]>;
  workerThroughput(runId: number): Promise<WorkerThroughput[]>;
  /** Dead jobs of a queue by page, newest first, and how many there are. */
  deadJobPage(
    queue: string,
    page: { limit: number; offset: number },
  ): Promise<{ total: number; jobs: DeadJob[] }>;

  /** A value of the server's own, such as the scaler's configuration; null when it was never set. */
  getSetting(key: string): Promise<unknown>;
  putSetting(key: string, value: unknown): Promise<void>;
  /** Sets it when it was never set. @returns the value that is there */
  initSetting(key: string, value: unknown): Promise<unknown>;
  /** Of a setting with fields: sets those of `patch` and leaves the others, whoever changes them at the same time. */
  mergeSetting(key: string, patch: Readonly<Record<string, unknown>>): Promise<void>;

  addDecision(decision: ScalingDecision): Promise<StoredDecision>;
  /** What came of a decision, and, as in `mergeSetting`, what follows from it: both or neither. */
  settleDecision(id: number, outcome: DecisionOutcome, setting: SettingPatch): Promise<void>;
  /** Newest first. */
  listDecisions(filter: {
    fromMs?: number;
    toMs?: number;
    beforeId?: number;
    limit: number;
  }): Promise<StoredDecision[]>;
  addAudit(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  listAudit(filter: { beforeId?: number; limit: number }): Promise<(AuditEntry & { id: number })[]>;

  addListenerMessage(message: NewListenerMessage): Promise<ListenerMessage>;
  /** Newest first; the search looks into the type, the control id, the application and the text. */
  listListenerMessages(page: { search?: string; limit: number; offset: number }): Promise<ListenerPage>;
  getListenerMessage(id: number): Promise<ListenerMessage | null>;
  deleteListenerMessage(id: number): Promise<boolean>;
}

/** The whole store, as the server uses it. */
export interface ServerStore extends CoordinationPort, ServerPort {}
