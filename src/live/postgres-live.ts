import pg from 'pg';
import { backoffMs } from '../lib/backoff.ts';
import { delay } from '../lib/lifecycle.ts';
import { redact } from '../lib/redact.ts';
import { decodeFact, encodeFact } from './fact-codec.ts';
import { createFactPacer } from './fact-pacer.ts';
import { createFanOut } from './fan-out.ts';
import type { LivePort } from './port.ts';

export interface PostgresLiveOptions {
  /** `postgres://user:password@host:port/database`; directly, since a pooler may give each statement another session. */
  databaseUrl: string;
  /** One line when the connection is lost and when it is there again. */
  log?: (line: string) => void;
}

const CHANNEL = 'yeeter_live';
const RECONNECT = { delayMs: 100, backoff: 'exponential', maxDelayMs: 2_000 } as const;
const TIMEOUT_MS = 10_000;
/** A connection that was cut without a word is found out by a question. */
const PROBE_INTERVAL_MS = 15_000;
/** What was published is waited for so long when nothing could be sent yet. */
const CLOSE_PATIENCE_MS = 1_000;
/** Facts that wait for a connection; the oldest go first. */
const MAX_WAITING = 1_000;

const NOTIFY = 'select pg_notify($1, fact) from unnest($2::text[]) fact';

/**
 * Facts between processes by LISTEN and NOTIFY, on a connection of its own: a notification in a transaction of the
 * ledger would make its commits wait for each other. It connects in the background, and again when it is cut off.
 */
export function createPostgresLive({ databaseUrl, log = () => {} }: PostgresLiveOptions): LivePort {
  const closing = new AbortController();
  const listeners = createFanOut(() => void listen());
  const waiting: string[] = [];
  /** The connection of this life, there or not yet; `client` once it is there. */
  let opening: pg.Client | null = null;
  let client: pg.Client | null = null;
  /** It has been said that there is no connection. */
  let toldAway = false;
  let sending = false;
  let sent = Promise.resolve();
  let answered = Promise.resolve(true);
  const wasThere = Promise.withResolvers<void>();

  const pacer = createFactPacer((fact) => {
    waiting.push(encodeFact(fact));
    if (waiting.length > MAX_WAITING) waiting.shift();
    send();
  });

  const send = (): void => {
    if (!sending) sent = sendWaiting();
  };

  /** What may not have arrived is sent again on the next connection. */
  const sendWaiting = async (): Promise<void> => {
    sending = true;
    while (client && waiting.length > 0) {
      const leaving = waiting.splice(0);
      if (await ask(client, NOTIFY, [CHANNEL, leaving])) continue;
      waiting.unshift(...leaving);
      waiting.splice(0, waiting.length - MAX_WAITING);
    }
    sending = false;
  };

  /** One question after the other. False when the connection did not answer; it is given up. */
  const ask = (asked: pg.Client, text: string, values: unknown[] = []): Promise<boolean> => {
    answered = answered.then(async () => {
      try {
        await asked.query(text, values);
        return true;
      } catch {
        if (client === asked) client = null;
        void asked.end().catch(() => {});
        return false;
      }
    });
    return answered;
  };

  /** Only who has listeners is sent notifications. */
  const listen = async (): Promise<void> => {
    if (client && listeners.used) await ask(client, `listen ${CHANNEL}`);
  };

  /** The life of one connection. @throws what it could not be opened for */
  const live = async (): Promise<void> => {
    const fresh = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'yeeter live',
      keepAlive: true,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    });
    opening = fresh;
    const ended = new Promise<void>((resolve) => fresh.once('end', () => resolve()));
    // What breaks it also ends it.
    fresh.on('error', () => {});
    fresh.on('notification', ({ payload = '' }) => {
      const fact = decodeFact(payload);
      if (fact) listeners.tell(fact);
    });
    try {
      await fresh.connect();
    } catch (error) {
      void fresh.end().catch(() => {});
      throw error;
    }
    client = fresh;
    wasThere.resolve();
    if (toldAway) log('connected to the database again');
    toldAway = false;
    await listen();
    send();
    const probe = setInterval(() => void ask(fresh, 'select 1'), PROBE_INTERVAL_MS);
    await ended;
    clearInterval(probe);
    if (client === fresh) client = null;
  };

  const tellAway = (line: string): void => {
    toldAway = true;
    log(line);
  };

  const keepConnected = async (): Promise<void> => {
    for (let failures = 0; !closing.signal.aborted; ) {
      try {
        await live();
        failures = 0;
        if (!closing.signal.aborted) tellAway('the connection to the database was lost: connecting again');
      } catch (error) {
        failures++;
        const why = error instanceof Error ? error.message : String(error);
        if (failures === 1) tellAway(`the database does not answer, trying again: ${redact(why)}`);
      }
      await delay(backoffMs(RECONNECT, Math.min(failures + 1, 10)), closing.signal);
    }
  };

  const connected = keepConnected();
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      pacer.close();
      listeners.clear();
      // A short life may end before its connection begins.
      if (waiting.length > 0) await Promise.race([wasThere.promise, delay(CLOSE_PATIENCE_MS)]);
      send();
      await sent;
      closing.abort();
      await opening?.end().catch(() => {});
      await connected;
    })();
    return closed;
  };
  return { publish: pacer.push, subscribe: listeners.add, close, [Symbol.asyncDispose]: close };
}
