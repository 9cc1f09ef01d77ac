import type { Order } from '../../domain/order.ts';
import type { Patient } from '../../domain/patient.ts';
import type { Rng } from '../../lib/rng.ts';
import type { RunContext } from './run-context.ts';

/** What one message is rendered from. Same context, same bytes. */
export interface RenderContext {
  patient: Patient;
  order: Order;
  /** Unique per message; `Context.MessageControlId`. */
  controlId: string;
  /** Virtual clock, milliseconds since the epoch; `Context.MessageTimestamp`. Times are rendered in UTC. */
  nowMs: number;
  /** Draws the values of Faker calls, in the order of the cues. */
  rng: Rng;
  /** For dotted paths, like `order.study_instance_uid`. */
  run: RunContext;
}
