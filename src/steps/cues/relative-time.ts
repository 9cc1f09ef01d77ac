import { YeeterError } from '../../lib/errors.ts';

export const DAY_MS = 86_400_000;

const UNITS_MS: Readonly<Record<string, number>> = {
  w: 7 * DAY_MS,
  d: DAY_MS,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
};

/**
 * Compiles `now`, `today` or an offset such as `-30y`, `+2M` or `-1d12h`, as Python's Faker spells them: y years,
 * M months, w weeks, d days, h hours, m minutes, s seconds.
 * @throws {YeeterError} GENERATOR_INVALID
 */
export function compileRelativeTime(text: string): (nowMs: number) => number {
  if (text === 'now') return (nowMs) => nowMs;
  if (text === 'today') return (nowMs) => nowMs - (nowMs % DAY_MS);
  if (!/^(?:[+-]?\d{1,6}[yMwdhms])+$/.test(text)) {
    throw new YeeterError(
      'GENERATOR_INVALID',
      `"${text}" is no moment: write now, today or an offset such as -30y, +2M, -1d12h`,
    );
  }
  let months = 0;
  let ms = 0;
  let sign = 1;
  for (const [, mark, digits, unit] of text.matchAll(/([+-]?)(\d+)([yMwdhms])/g)) {
    // A sign holds for what follows it, so that -1d12h is a day and a half ago.
    if (mark) sign = mark === '-' ? -1 : 1;
    const amount = sign * Number(digits);
    if (unit === 'y') months += 12 * amount;
    else if (unit === 'M') months += amount;
    else ms += amount * UNITS_MS[unit!]!;
  }
  return (nowMs) => addMonths(nowMs, months) + ms;
}

/** Start of the year that lies `later` years after the one of `nowMs`. */
export function startOfYear(nowMs: number, later: number): number {
  return Date.UTC(new Date(nowMs).getUTCFullYear() + later, 0, 1);
}

export function startOfMonth(nowMs: number, later: number): number {
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + later, 1);
}

/** The 31st of a month becomes the last day of a shorter one. */
function addMonths(ms: number, months: number): number {
  if (months === 0) return ms;
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}
