import { bigint } from './drizzle.ts';

/** Columns that most tables have; what is counted, summed or measured never fits 32 bits for good. */

export const count = () => bigint({ mode: 'number' }).notNull();
export const maybe = () => bigint({ mode: 'number' });

/** Iterations of a page of `handed_off`, the first of which are 0 to this less one. */
export const HAND_OFFS_A_PAGE = 1024;
