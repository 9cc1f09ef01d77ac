import type { Endpoint, EndpointLimits } from '../domain/endpoint.ts';
import { createMllpPool, type MllpPool } from '../hl7/mllp-pool.ts';
import type { Clock } from '../lib/clock.ts';
import { type Failure, failure, YeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { createDicomClient, type DicomClient } from './dicom-client.ts';
import { createEndpointGate, type EndpointGate } from './endpoint-gate.ts';
import type { Demand, LimitShare } from './limit-share.ts';

export interface MllpSend {
  message: Buffer;
  controlId: string;
  /** Messages of one patient never overtake each other. */
  patientIndex: number;
  timeoutMs: number;
}

/** `serviceUs` is from the first byte written to the acknowledgement decoded; null when nothing was written. */
export type MllpOutcome = { ok: true; serviceUs: number } | (Failure & { serviceUs: number | null });

export interface MllpClient {
  send(request: MllpSend, signal: AbortSignal): Promise<MllpOutcome>;
}

/** Connections to the systems under test, shared by all patients of a run in this process. */
export interface Clients extends Closeable {
  mllp(endpoint: string): MllpClient;
  dicom(endpoint: string): DicomClient;
}

export interface ClientsOptions {
  endpoints: Readonly<Record<string, Endpoint>>;
  limits: (endpoint: Endpoint) => EndpointLimits;
  /** This process's part of an endpoint's limits. */
  share: (endpoint: Endpoint, demand: Demand) => LimitShare;
  clock: Clock;
  /** Told of the application acknowledgements of enhanced mode, which come after the send has ended. */
  onApplicationAck: (latencyUs: number, accepted: boolean) => void;
  /** An endpoint has had all the bytes that it may have. */
  onBudgetSpent: (endpoint: Endpoint) => void | Promise<void>;
}

export function createClients(options: ClientsOptions): Clients {
  const { endpoints, limits, clock } = options;
  const mllpClients = new Map<string, MllpClient & Closeable>();
  const dicomClients = new Map<string, DicomClient & Closeable>();
  // By address: two names of one system share its limits.
  const gates = new Map<string, EndpointGate>();

  const endpointNamed = (name: string): Endpoint => {
    const endpoint = endpoints[name];
    if (endpoint) return endpoint;
    const known = Object.keys(endpoints).join(', ') || 'none';
    throw new YeeterError('TEMPLATE_INVALID', `endpoint "${name}" is not defined; known are: ${known}`);
  };

  const gateOf = (endpoint: Endpoint): EndpointGate => {
    const key = `${endpoint.hostname.toLowerCase()}:${endpoint.port}`;
    let gate = gates.get(key);
    if (!gate) {
      const onBudgetSpent = (): void | Promise<void> => options.onBudgetSpent(endpoint);
      const share = (demand: Demand): LimitShare => options.share(endpoint, demand);
      gate = createEndpointGate({ share, clock, onBudgetSpent });
      gates.set(key, gate);
    }
    return gate;
  };

  const mllp = (name: string): MllpClient => {
    let client = mllpClients.get(name);
    if (!client) {
      const endpoint = endpointNamed(name);
      client = createMllpClient(endpoint, gateOf(endpoint), limits(endpoint), options.onApplicationAck);
      mllpClients.set(name, client);
    }
    return client;
  };

  const dicom = (name: string): DicomClient => {
    let client = dicomClients.get(name);
    if (!client) {
      const endpoint = endpointNamed(name);
      client = createDicomClient(endpoint, gateOf(endpoint), clock);
      dicomClients.set(name, client);
    }
    return client;
  };

  const close = async (): Promise<void> => {
    const all = [...mllpClients.values(), ...dicomClients.values()];
    await Promise.all(all.map((client) => client.close()));
    await Promise.all([...gates.values()].map((gate) => gate.close()));
  };

  return { mllp, dicom, close, [Symbol.asyncDispose]: close };
}

function createMllpClient(
  endpoint: Endpoint,
  gate: EndpointGate,
  limits: EndpointLimits,
  onApplicationAck: ClientsOptions['onApplicationAck'],
): MllpClient & Closeable {
  const pools = new Map<number, MllpPool>();
  const limited = limits.shared || limits.ramp || limits.maxPerSecond !== null || limits.maxBytes !== null;

  const poolWith = (timeoutMs: number): MllpPool => {
    let pool = pools.get(timeoutMs);
    if (!pool) {
      pool = createMllpPool({
        host: endpoint.hostname,
        port: endpoint.port,
        connections: limits.maxConnections,
        responseTimeoutMs: timeoutMs,
        onApplicationAck: ({ code, latencyUs }) => onApplicationAck(latencyUs, code === 'AA'),
      });
      pools.set(timeoutMs, pool);
      gate.count(pool);
    }
    return pool;
  };

  const sendNow: MllpClient['send'] = ({ message, controlId, patientIndex, timeoutMs }, signal) =>
    poolWith(timeoutMs).send(message, { controlId, key: patientIndex, signal });

  const sendWithinLimits: MllpClient['send'] = async (request, signal) => {
    const refused = failure('CANCELLED', `${endpoint.name}: its limits or a cancel ended the run`);
    if (!(await gate.enter(signal))) return { ...refused, serviceUs: null };
    try {
      if (!(await gate.pass(request.message.length, signal))) return { ...refused, serviceUs: null };
      if (poolWith(request.timeoutMs).idle() === 0) await gate.makeRoom();
      return await sendNow(request, signal);
    } finally {
      gate.leave();
    }
  };

  const close = async (): Promise<void> => {
    await Promise.all([...pools.values()].map((pool) => pool.close()));
  };
  return { send: limited ? sendWithinLimits : sendNow, close, [Symbol.asyncDispose]: close };
}
