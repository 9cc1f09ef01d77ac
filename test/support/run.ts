import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Endpoint, EndpointLimits } from '../../src/domain/endpoint.ts';
import type { RunIdentity } from '../../src/domain/identity.ts';
import { parseTemplate } from '../../src/domain/load-template.ts';
import type { OnFailure, Template } from '../../src/domain/template.ts';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import type { RunTotals } from '../../src/metrics/totals.ts';
import { createEngine, type Engine } from '../../src/roles/engine.ts';
import { checkGenerator } from '../../src/steps/generate-hl7.ts';
import type { NewRun, RunRecord, StoragePort } from '../../src/storage/port.ts';
import { TEST_IDENTITY } from './job.ts';
import { openTestLedger } from './ledger.ts';

const TEMPLATES = fileURLToPath(new URL('../../examples/templates/', import.meta.url));

/** A template from its text, its generators found beside the examples. */
export function templateFrom(text: string): Template {
  const read = parseTemplate(text, join(TEMPLATES, 'test.yaml'), { checkGenerator });
  if (read.ok) return read.template;
  throw new Error(read.faults.map((fault) => `${fault.path}: ${fault.message}`).join('\n'));
}

export interface TestRunOptions {
  template: Template;
  patients: number;
  mllpPort?: number;
  /** Instead of 127.0.0.1. */
  mllpHost?: string;
  dicomPort?: number;
  dicomAeTitle?: string;
  identity?: Partial<RunIdentity>;
  concurrency?: number;
  onFailure?: OnFailure;
  limits?: Readonly<Record<string, EndpointLimits>>;
  /** Called once the run is under way. */
  during?: (engine: Engine) => void;
}

export interface TestRunEnd {
  run: RunRecord;
  totals: RunTotals;
  /** Code of what kept the accounts from being complete. */
  fault: string | null;
  /** Counted in memory, apart from the ledger. */
  counted: { started: number; completed: number; failed: number; cancelled: number };
}

/** Runs templates on this thread against a ledger in a folder of its own. */
export interface TestBench extends Closeable {
  store: StoragePort;
  run(options: TestRunOptions): Promise<TestRunEnd>;
}

export async function openTestBench(): Promise<TestBench> {
  const { store, close } = await openTestLedger();
  const { id: deploymentId } = await store.deployment();
  return {
    store,
    run: (options) => runOnce(store, deploymentId, options),
    close,
    [Symbol.asyncDispose]: close,
  };
}

let lives = 0;

async function runOnce(
  store: StoragePort,
  deploymentId: string,
  options: TestRunOptions,
): Promise<TestRunEnd> {
  const run = await store.createRun({
    userId: null,
    templateId: null,
    template: options.template,
    identity: { ...TEST_IDENTITY, ...options.identity },
    patientCount: options.patients,
    concurrency: options.concurrency ?? 4,
    closedModel: true,
    onFailure: options.onFailure ?? 'continue',
    tags: [],
    endpoints: { ...options.template.endpoints, ...endpointsOf(options) },
    limits: options.limits ?? {},
  });
  const input = {
    runId: run.id,
    deploymentId,
    endpoints: { ...options.template.endpoints, ...endpointsOf(options) },
    limits: options.limits ?? {},
    resumed: false,
    studyDir: null,
  };
  lives++;
  const engine = await createEngine(input, store, `${process.pid}-${lives}`);
  const running = engine.run();
  options.during?.(engine);
  const fault = await running;
  const { started, completed, failed, cancelled } = engine.progress();
  await engine.close();
  return {
    run: await store.getRun(run.id),
    totals: await store.runTotals(run.id),
    fault: fault?.code ?? null,
    counted: { started, completed, failed, cancelled },
  };
}

function endpointsOf(options: TestRunOptions): Record<string, Endpoint> {
  const mllp: Endpoint = {
    name: 'mllp',
    endpointType: 'MLLP',
    hostname: options.mllpHost ?? '127.0.0.1',
    port: options.mllpPort ?? 1,
    aeTitle: null,
    callingAeTitle: null,
  };
  const dicom: Endpoint = {
    name: 'dicom',
    endpointType: 'DICOM_SCP',
    hostname: '127.0.0.1',
    port: options.dicomPort ?? 1,
    aeTitle: options.dicomAeTitle ?? 'YEETER_SINK',
    callingAeTitle: null,
  };
  return { mllp, dicom };
}

/** Patients that get their order, and nothing else. */
export const ORDERS = `
name: orders
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP}
`;

/** A run of one patient after the other, whose messages go to `port` of this machine. */
export function queuedRun(template: Template, patientCount: number, port: number): NewRun {
  return {
    userId: null,
    templateId: null,
    template,
    identity: TEST_IDENTITY,
    patientCount,
    concurrency: 1,
    closedModel: false,
    onFailure: 'continue',
    tags: [],
    endpoints: {
      mllp: {
        name: 'mllp',
        endpointType: 'MLLP',
        hostname: '127.0.0.1',
        port,
        aeTitle: null,
        callingAeTitle: null,
      },
    },
    limits: {},
  };
}
