import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/uids.ts';
import type { DicomAccounts, IterationState, UnsentInstance, UnsentInstances } from '../domain/job.ts';
import { addDigest } from '../domain/manifest.ts';
import type { Station } from '../domain/station.ts';
import type { StepOf } from '../domain/template.ts';
import { type Failure, failure } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import { plural } from '../lib/plural.ts';
import type { AssociationLease } from './dicom-client.ts';
import { STEP_OK, type StepCall, type StepEnvironment, type StepHandler, type StepResult } from './step.ts';

/** What one SEND_DICOM execution has seen so far. */
interface Sending {
  step: StepOf<'SEND_DICOM'>;
  call: StepCall;
  environment: StepEnvironment;
  destinations: readonly string[];
  station: Station | null;
  /** No earlier attempt has counted these instances in the manifest. */
  fresh: boolean;
  unsent: UnsentInstance[];
  refused: number;
  refusal: UnsentInstances['refusal'];
  /** The last retryable failure. */
  transport: Failure | null;
  wireUs: number;
  attemptedInstances: number;
  attemptedBytes: number;
  successInstances: number;
  successBytes: number;
}

/**
 * Stores the studies of the patient: one association per study unless the station says otherwise. A warning status
 * counts as stored. A failed instance fails the step; a retry sends only what is missing.
 */
export const sendDicom: StepHandler<'SEND_DICOM'> = async (step, call, environment) => {
  const { state } = call;
  const first = state.studies[0];
  if (!first) {
    const where = `step ${step.stepOrder} SEND_DICOM`;
    return failure('TEMPLATE_INVALID', `${where}: there is no study to send: add a GENERATE_DICOM step`);
  }
  const { stations } = environment.template;
  const station = stations.find((candidate) => candidate.aeTitle === first.station.aeTitle) ?? null;
  const sending: Sending = {
    step,
    call,
    environment,
    station,
    fresh: state.unsent === null,
    destinations: station?.destinations.length ? station.destinations : [step.parameters.endpoint],
    unsent: [],
    refused: state.unsent?.refused ?? 0,
    refusal: state.unsent?.refusal ?? null,
    transport: null,
    wireUs: 0,
    attemptedInstances: 0,
    attemptedBytes: 0,
    successInstances: 0,
    successBytes: 0,
  };
  const startedUs = environment.clock.monotonicUs();
  const todo = state.unsent?.instances ?? allInstances(state, sending.destinations.length);
  for (const group of groupByAssociation(todo, station)) await sendGroup(sending, group);
  const tookUs = environment.clock.monotonicUs() - startedUs;
  account(state.accounts.dicom, sending, tookUs);
  state.accounts.sutUs += Math.min(tookUs, sending.wireUs);
  return conclude(sending);
};

function conclude(sending: Sending): StepResult {
  const { state } = sending.call;
  const { unsent, refused, refusal, transport } = sending;
  if (unsent.length === 0 && refused === 0) {
    state.unsent = null;
    return STEP_OK;
  }
  state.unsent = { instances: unsent, refused, refusal };
  if (transport && unsent.length > 0) return transport;
  const { code, message } = refusal!;
  return failure(code, `${message} (${refused} ${plural(refused, 'instance')} refused for good)`, false);
}

function allInstances(state: IterationState, destinations: number): UnsentInstance[] {
  const all: UnsentInstance[] = [];
  for (let destination = 0; destination < destinations; destination++) {
    state.studies.forEach((study, studyIndex) => {
      study.series.forEach((series, seriesIndex) => {
        for (let n = 1; n <= series.instanceCount; n++) all.push([destination, studyIndex, seriesIndex, n]);
      });
    });
  }
  return all;
}

/** Instances that share an association, in order. */
function groupByAssociation(todo: readonly UnsentInstance[], station: Station | null): UnsentInstance[][] {
  const policy = station?.association ?? 'study';
  const groups = new Map<string, UnsentInstance[]>();
  for (const instance of todo) {
    const [destination, study, series, n] = instance;
    const key =
      policy === 'image'
        ? `${destination} ${study} ${series} ${n}`
        : policy === 'series'
          ? `${destination} ${study} ${series}`
          : `${destination} ${study}`;
    const group = groups.get(key);
    if (group) group.push(instance);
    else groups.set(key, [instance]);
  }
  return [...groups.values()];
}

async function sendGroup(sending: Sending, group: UnsentInstance[]): Promise<void> {
  const study = sending.call.state.studies[group[0]![1]]!;
  await sending.environment.studies.prepare(study);
  const associations = Math.min(sending.step.parameters.associations, group.length);
  if (associations === 1) return sendOverOne(sending, group);
  const shares = Array.from({ length: associations }, (_, i) =>
    group.filter((_instance, at) => at % associations === i),
  );
  await Promise.all(shares.map((share) => sendOverOne(sending, share)));
}

async function sendOverOne(sending: Sending, group: UnsentInstance[]): Promise<void> {
  const { step, environment, station } = sending;
  const [destination, studyIndex] = group[0]!;
  const study = sending.call.state.studies[studyIndex]!;
  const keepOpen = station?.association === 'kept_open';
  const lease = await environment.clients.dicom(sending.destinations[destination]!).lease(
    {
      callingAeTitle: study.station.aeTitle,
      contexts: environment.studies.contexts(keepOpen ? null : study),
      maxInFlight: step.parameters.maxInFlight,
      timeoutMs: step.parameters.timeoutMs,
      keepOpen,
    },
    environment.signal,
  );
  if (lease.openUs !== null) {
    sending.wireUs += lease.openUs;
    environment.recorder.record('dicom_association', lease.openUs, lease.ok);
  }
  if (!lease.ok) {
    failUnbuilt(sending, group, lease);
    return;
  }
  await sendInstances(sending, lease, group);
}

function fail(sending: Sending, instances: readonly UnsentInstance[], why: Failure): void {
  if (why.retryable || why.code === 'CANCELLED') {
    sending.unsent.push(...instances);
    sending.transport = why;
  } else {
    sending.refused += instances.length;
    sending.refusal = { code: why.code, message: why.message };
  }
}

/** Fails instances that were not built: the manifest counts them as well, since it is about what is to be sent. */
function failUnbuilt(sending: Sending, instances: readonly UnsentInstance[], why: Failure): void {
  const { fresh, environment, call } = sending;
  if (fresh && why.code !== 'CANCELLED') {
    for (const [, studyIndex, seriesIndex, n] of instances) {
      const built = environment.studies.build(call.state.studies[studyIndex]!, seriesIndex, n);
      addDigest(call.state.accounts.digest, built.manifestDigest());
    }
  }
  fail(sending, instances, why);
}

type OpenLease = Extract<AssociationLease, { ok: true }>;

/** Keeps as many stores in flight as the association was granted. */
async function sendInstances(sending: Sending, lease: OpenLease, group: UnsentInstance[]): Promise<void> {
  const cadenceMs = sending.station?.cadenceMs ?? 0;
  const width = Math.max(1, Math.min(lease.association.maxInFlight, group.length));
  let next = 0;
  let broken: Failure | null = null;
  const lane = async (): Promise<void> => {
    while (next < group.length && !broken) {
      const at = next++;
      if (cadenceMs > 0 && at > 0) await delay(cadenceMs, sending.environment.signal);
      if (broken) {
        failUnbuilt(sending, [group[at]!], broken);
        break;
      }
      broken = (await storeOne(sending, lease, group[at]!, at === 0)) ?? broken;
    }
  };
  if (width === 1) await lane();
  else await Promise.all(Array.from({ length: width }, lane));
  if (broken && next < group.length) failUnbuilt(sending, group.slice(next), broken);
  await lease.end(broken !== null);
}

/** @returns the failure that ended the association, else null */
async function storeOne(
  sending: Sending,
  lease: OpenLease,
  instance: UnsentInstance,
  first: boolean,
): Promise<Failure | null> {
  const { environment, call } = sending;
  const [, studyIndex, seriesIndex, n] = instance;
  const study = call.state.studies[studyIndex]!;
  const { association } = lease;
  const explicit = environment.studies.build(study, seriesIndex, n);
  // Whatever the peer negotiates, the manifest is over the one encoding.
  if (sending.fresh) addDigest(call.state.accounts.digest, explicit.manifestDigest());
  const takesImplicit =
    !association.isAccepted(explicit.sopClassUid, EXPLICIT_VR_LITTLE_ENDIAN) &&
    association.isAccepted(explicit.sopClassUid, IMPLICIT_VR_LITTLE_ENDIAN);
  const built = takesImplicit ? environment.studies.build(study, seriesIndex, n, 'implicit') : explicit;
  if (!(await lease.pass(built.sizeBytes))) {
    const end = failure('CANCELLED', 'the limits of the endpoint or a cancel ended the run');
    fail(sending, [instance], end);
    return end;
  }
  const stored = await association.store(built);
  sending.attemptedInstances++;
  sending.attemptedBytes += built.sizeBytes;
  const sendUs = stored.sendUs ?? 0;
  const tookUs = sendUs + (stored.waitUs ?? 0);
  const { recorder } = environment;
  if (stored.sendUs !== undefined) {
    sending.wireUs += tookUs;
    recorder.record('dicom_store', tookUs, stored.ok, stored.ok ? built.sizeBytes : 0);
    recorder.record('dicom_send', sendUs, stored.ok);
    if (first && lease.openUs !== null) recorder.record('dicom_store_first', tookUs, stored.ok);
  }
  if (stored.ok) {
    sending.successInstances++;
    sending.successBytes += built.sizeBytes;
    return null;
  }
  fail(sending, [instance], stored);
  return lease.association.ended;
}

function account(totals: DicomAccounts, sending: Sending, tookUs: number): void {
  totals.attemptedInstances += sending.attemptedInstances;
  totals.attemptedBytes += sending.attemptedBytes;
  totals.successInstances += sending.successInstances;
  totals.successBytes += sending.successBytes;
  totals.sendCount++;
  totals.sendSumUs += tookUs;
  totals.sendMinUs = Math.min(totals.sendMinUs ?? tookUs, tookUs);
  totals.sendMaxUs = Math.max(totals.sendMaxUs ?? tookUs, tookUs);
  if (sending.successBytes === 0 || tookUs === 0) return;
  const mbps = (sending.successBytes * 8) / tookUs;
  totals.throughputSumMbps += mbps;
  totals.throughputMinMbps = Math.min(totals.throughputMinMbps ?? mbps, mbps);
  totals.throughputMaxMbps = Math.max(totals.throughputMaxMbps ?? mbps, mbps);
  totals.throughputCount++;
}
