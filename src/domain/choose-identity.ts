import { checkNamespace, namespacesNeeded, type RunIdentity } from './identity.ts';

/** What a deployment has of its own; the ledger is one. */
export interface IdentitySource {
  deployment(): Promise<{ seed: number }>;
  /** First of `count` consecutive namespace blocks that no run has had. */
  claimNamespaces(count: number): Promise<number>;
}

export interface IdentityWish {
  patientCount: number;
  /** Null for both draws on the deployment's own seed and a namespace that no run has had. */
  seed: number | null;
  namespace: number | null;
  clockStartMs: number | null;
  uidRoot: string | null;
  /** Only built-in sinks receive; other receivers look at the date. */
  onlySinks: boolean;
  nowMs: number;
}

/** Virtual clock of runs against the built-in sinks alone: a Monday morning. */
const SINK_CLOCK_START_MS = Date.UTC(2026, 0, 5, 7);

/** @throws {YeeterError} NAMESPACE_EXHAUSTED */
export async function chooseIdentity(source: IdentitySource, wish: IdentityWish): Promise<RunIdentity> {
  const { patientCount, seed, namespace } = wish;
  const deployment = await source.deployment();
  const fresh = seed === null && namespace === null;
  const identity: RunIdentity = {
    seed: seed ?? deployment.seed,
    namespace: fresh ? await source.claimNamespaces(namespacesNeeded(patientCount)) : (namespace ?? 0),
    clockStartMs: wish.clockStartMs ?? (wish.onlySinks ? SINK_CLOCK_START_MS : startOfDayMs(wish.nowMs)),
    uidRoot: wish.uidRoot,
  };
  checkNamespace(identity, patientCount);
  return identity;
}

function startOfDayMs(nowMs: number): number {
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
}
