import { bigint } from './drizzle.ts';

/** Columns that most tables have; what is counted, summed or measured never fits 32 bits for good. */

export const count = () => bigint({ mode: 'number' }).notNull();
export const maybe = () => bigint({ mode: 'number' });
