import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { io } from 'socket.io-client';
import { z } from 'zod';
import { LIVE_PROGRESS } from './answers.ts';
import type { ApiClient } from './http.ts';
import { printable } from './printable.ts';

export type LiveProgress = z.output<typeof LIVE_PROGRESS>;

export interface LiveLinkOptions {
  client: Pick<ApiClient, 'apiUrl' | 'insecure' | 'credentials'>;
  runId: number;
  /** Something about the run has changed. */
  onNews: () => void;
  onProgress: (progress: LiveProgress) => void;
  /** Live events come from now on, or no longer, and why not. */
  onChange: (isLive: boolean, reason: string) => void;
}

/** Live events of one run, for as long as they come. It tries again by itself. */
export interface LiveLink extends Disposable {
  readonly isLive: boolean;
}

const NEWS = [
  'sim_log_update',
  'sim_run_status_update',
  'simulation_async_job_queued',
  'simulation_async_job_completed',
] as const;

const CONNECT_MS = 10_000;
const JOIN_MS = 10_000;
const LONGEST_PAUSE_MS = 10_000;

const JOINED = z.looseObject({ ok: z.boolean(), error: z.string().optional() });
const OF_RUN = z.looseObject({ run_id: z.coerce.number() });

export function openLiveLink({ client, runId, onNews, onProgress, onChange }: LiveLinkOptions): LiveLink {
  const { origin, pathname } = new URL(client.apiUrl);
  const agent = origin.startsWith('https:')
    ? new TlsAgent({ rejectUnauthorized: !client.insecure })
    : new Agent();
  const socket = io(origin, {
    path: `${pathname.replace(/\/$/, '')}/socket.io`,
    auth: { token: client.credentials?.value ?? '' },
    // The types know agents of browsers alone.
    agent: agent as unknown as boolean,
    rejectUnauthorized: !client.insecure,
    timeout: CONNECT_MS,
    reconnectionDelayMax: LONGEST_PAUSE_MS,
    forceNew: true,
  });
  /** Null until it is known. */
  let isLive: boolean | null = null;
  const turn = (to: boolean, reason: string): void => {
    if (isLive === to) return;
    isLive = to;
    onChange(to, printable(reason));
  };
  const isOurs = (payload: unknown): boolean => OF_RUN.safeParse(payload).data?.run_id === runId;

  socket.on('connect', () => {
    // Older servers answer nothing: who hears nothing is in the room as far as anybody can tell.
    socket.timeout(JOIN_MS).emit('join_run_room', { run_id: runId }, (_late: unknown, answer: unknown) => {
      if (!socket.connected) return;
      const joined = JOINED.safeParse(answer);
      if (joined.success && !joined.data.ok) turn(false, joined.data.error ?? 'the room is closed to us');
      else turn(true, 'connected');
      onNews();
    });
  });
  socket.on('connect_error', (error) => turn(false, error.message));
  socket.on('disconnect', (reason) => turn(false, reason));
  for (const name of NEWS) socket.on(name, (payload: unknown) => isOurs(payload) && onNews());
  socket.on('simulation_async_progress', (payload: unknown) => {
    const progress = LIVE_PROGRESS.safeParse(payload);
    if (progress.success && isOurs(payload)) onProgress(progress.data);
  });

  return {
    get isLive() {
      return isLive === true;
    },
    [Symbol.dispose]: () => {
      socket.removeAllListeners();
      socket.close();
      // A handshake that nobody answers would outlive the socket.
      agent.destroy();
    },
  };
}
