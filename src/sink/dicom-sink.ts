import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { COMMAND_FIELD } from '../dicom/dimse.ts';
import { STATUS } from '../dicom/dimse-status.ts';
import { createDicomScp } from '../dicom/scp.ts';
import type {
  ScpHooks,
  ServiceReply,
  ServiceRequest,
  StoreInfo,
  StoreReceiver,
  StoreReply,
} from '../dicom/scp-hooks.ts';
import { isValidUid, MPPS_SOP_CLASS, WORKLIST_SOP_CLASS } from '../dicom/uids.ts';
import type { AssociateRj } from '../dicom/upper-layer/pdu.ts';
import { type Failure, toYeeterError } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import { createContentDigest } from './content-digest.ts';
import { type Fault, type FaultKinds, type FaultPlan, faultFor, MILLISECONDS } from './fault-plan.ts';
import type { OrderBook } from './order-book.ts';
import { createPart10File, type Part10File } from './part10-file.ts';
import { createPerformedSteps, type PerformedStepCounts, type PerformedSteps } from './performed-steps.ts';

/** What a storage receiver can do wrong, for `parseFaultPlan`; the first three strike associations. */
export const DICOM_FAULTS = {
  reject: { about: 'rejects the association for now (temporary congestion)', argument: null },
  'reject-for-good': { about: 'rejects the association (called AE title not recognised)', argument: null },
  ignore: { about: 'never answers the association request', argument: null },
  status: {
    about: 'answers C-STORE with this status, such as A700 or B000',
    argument: {
      name: 'hex',
      parse: (text: string) => (/^[0-9A-Fa-f]{4}$/.test(text) ? Number.parseInt(text, 16) : null),
    },
  },
  abort: { about: 'aborts in the middle of the data set', argument: null },
  close: { about: 'closes the connection in the middle of the data set', argument: null },
  silent: { about: 'never answers the C-STORE', argument: null },
  delay: { about: 'waits before the C-STORE response', argument: MILLISECONDS },
} as const satisfies FaultKinds;
export type DicomFault = keyof typeof DICOM_FAULTS;

export interface DicomSinkOptions {
  /** 127.0.0.1 unless set. */
  host?: string;
  /** 0, any free port, unless set. */
  port?: number;
  /** When set, every other called AE title is rejected. */
  aeTitle?: string;
  /** Keeps each instance as `<SOP Instance UID>.dcm` (PS3.10) in this folder, before it is answered. */
  keepDir?: string | null;
  /** `n` counts associations for the faults that strike them, and C-STORE requests for the others. */
  faultPlan?: FaultPlan<DicomFault>;
  /** Whether to compute a digest of the data sets, whatever their order; false unless set. */
  digest?: boolean;
  /** Asynchronous operations granted to who asks; 64 unless set. */
  maxOperations?: number;
  /** Offers a worklist of these orders. @default none */
  orders?: OrderBook;
  /** Where performed procedure steps are reported to. @default steps of its own */
  performedSteps?: PerformedSteps;
  /** Told of instances that could not be kept. */
  onFault?: (fault: Failure) => void;
}

export interface DicomSinkCounts {
  /** Accepted. */
  associations: number;
  rejectedAssociations: number;
  /** Ended otherwise than by release. */
  failedAssociations: number;
  echoes: number;
  /** Stored: answered with success or a warning. */
  instances: number;
  /** Answered with a failure, or not as they should be. */
  failures: number;
  /** Of data sets, of those that failed as well. */
  bytes: number;
  kept: number;
  /** Worklist queries. */
  finds: number;
  performedSteps: PerformedStepCounts;
  /** Of what is counted in `instances`; null when none was asked for. */
  digest: string | null;
}

export interface DicomSink extends AsyncDisposable {
  readonly port: number;
  counts(): DicomSinkCounts;
  /** Stops listening, lets the stores under way be answered; answers the final counts, also when called again. */
  close(): Promise<DicomSinkCounts>;
}

const REJECTIONS: Partial<Record<DicomFault, AssociateRj | 'silent'>> = {
  reject: { result: 2, source: 3, reason: 1 },
  'reject-for-good': { result: 1, source: 1, reason: 7 },
  ignore: 'silent',
};

/**
 * A receiver of instances and performed procedure steps, and a worklist of the orders that came, for runs without a
 * system under test: counts, keeps what it is asked to, and misbehaves as
 * planned. Without `keepDir`, `digest` and faults it only counts bytes.
 * @throws YeeterError PORT_IN_USE, CONNECT_FAILED
 */
export async function createDicomSink(options: DicomSinkOptions = {}): Promise<DicomSink> {
  const {
    faultPlan = [],
    keepDir = null,
    aeTitle,
    orders,
    performedSteps = createPerformedSteps(),
  } = options;
  const digest = options.digest ? createContentDigest() : null;
  const stop = new AbortController();
  const associationPlan = faultPlan.filter(({ fault }) => fault.name in REJECTIONS);
  const storePlan = faultPlan.filter(({ fault }) => !(fault.name in REJECTIONS));
  let requests = 0;
  let stores = 0;
  let stored = 0;
  let failures = 0;
  let kept = 0;
  let begun = 0;
  if (keepDir !== null) await mkdir(keepDir, { recursive: true });

  /** Settles a store once its data set is there. */
  function conclude(fault: Fault<DicomFault> | null, keep: () => boolean): StoreReply | Promise<StoreReply> {
    if (fault?.name === 'silent') {
      failures++;
      return 'silent';
    }
    const asked = fault?.name === 'status' ? fault.argument! : STATUS.success;
    // B000 and its like store the instance, all other statuses do not.
    const isStored = asked === STATUS.success || asked >> 12 === 0xb;
    const status = isStored && !keep() ? STATUS.outOfResources : asked;
    if (isStored && status === asked) stored++;
    else failures++;
    if (fault?.name !== 'delay') return status;
    return delay(fault.argument!, stop.signal).then(() => status);
  }

  function receive(info: StoreInfo): StoreReceiver | StoreReply {
    const fault = storePlan.length === 0 ? null : faultFor(storePlan, ++stores);
    if (fault?.name === 'abort' || fault?.name === 'close') {
      failures++;
      return fault.name;
    }
    // What names a file must not reach out of its folder.
    if (keepDir !== null && !isValidUid(info.sopInstanceUid)) {
      failures++;
      return STATUS.invalidSopInstance;
    }
    if (keepDir === null && digest === null) return { end: () => conclude(fault, () => true) };
    return keeper(info, fault);
  }

  function keeper(info: StoreInfo, fault: Fault<DicomFault> | null): StoreReceiver {
    const hash = digest && createHash('sha256');
    let file: Part10File | null = null;
    let broken = false;
    const guard = (work: () => void): void => {
      if (broken) return;
      try {
        work();
      } catch (error) {
        broken = true;
        file?.discard();
        const { code, message } = toYeeterError(error);
        options.onFault?.({ ok: false, code, message: `DICOM sink: ${message}`, retryable: false });
      }
    };
    if (keepDir !== null) {
      guard(() => {
        file = createPart10File(keepDir, info, ++begun);
      });
    }
    return {
      chunk: (data) => {
        hash?.update(data);
        guard(() => file?.write(data));
      },
      end: () =>
        conclude(fault, () => {
          guard(() => file?.finish());
          if (broken) return false;
          if (file !== null) kept++;
          if (hash !== null) digest?.add(hash.digest());
          return true;
        }),
      cancelled: () => file?.discard(),
    };
  }

  let finds = 0;
  const serve = (request: ServiceRequest): ServiceReply | Promise<ServiceReply> => {
    const isFind = request.commandField === COMMAND_FIELD.cFindRq;
    if (isFind !== (request.sopClassUid === WORKLIST_SOP_CLASS))
      return { status: STATUS.unrecognisedOperation };
    if (!isFind) return performedSteps.answer(request);
    finds++;
    return orders?.find(request) ?? { status: STATUS.unrecognisedOperation };
  };

  const hooks: ScpHooks = { onStore: receive, onRequest: serve };
  if (associationPlan.length > 0) {
    hooks.onAssociate = () => REJECTIONS[faultFor(associationPlan, ++requests)?.name ?? 'delay'] ?? null;
  }
  const scp = await createDicomScp({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    ...(aeTitle === undefined ? {} : { aeTitle }),
    maxOperations: options.maxOperations ?? 64,
    services: [MPPS_SOP_CLASS, ...(orders === undefined ? [] : [WORKLIST_SOP_CLASS])],
    ...hooks,
  });
  const counts = (): DicomSinkCounts => ({
    associations: scp.counters.associationsAccepted,
    rejectedAssociations: scp.counters.associationsRejected,
    failedAssociations: scp.counters.associationsFailed,
    echoes: scp.counters.echoes,
    instances: stored,
    failures,
    bytes: scp.counters.bytes,
    kept,
    finds,
    performedSteps: performedSteps.counts(),
    digest: digest?.hex() ?? null,
  });
  const close = async (): Promise<DicomSinkCounts> => {
    stop.abort();
    await scp.close();
    return counts();
  };
  return {
    port: scp.port,
    counts,
    close,
    async [Symbol.asyncDispose]() {
      await close();
    },
  };
}
