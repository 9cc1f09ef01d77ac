/** DA and TM values (PS3.5 section 6.2) in UTC; the data sets say so by Timezone Offset From UTC. */

export function dicomDate(ms: number): string {
  const date = new Date(ms);
  return `${String(date.getUTCFullYear()).padStart(4, '0')}${two(date.getUTCMonth() + 1)}${two(date.getUTCDate())}`;
}

export function dicomTime(ms: number): string {
  // Arithmetic on the day's milliseconds, since this is called for every instance.
  const day = ((ms % DAY_MS) + DAY_MS) % DAY_MS;
  const seconds = Math.floor(day / 1000);
  const fraction = String(Math.floor(day % 1000)).padStart(3, '0');
  return `${two(Math.floor(seconds / 3600))}${two(Math.floor(seconds / 60) % 60)}${two(seconds % 60)}.${fraction}`;
}

const DAY_MS = 86_400_000;

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** Patient's Age (0010,1010), for example `045Y`; null when the birth date is no date or in the future. */
export function patientAge(birthDate: string, atMs: number): string | null {
  if (!/^\d{8}$/.test(birthDate)) return null;
  const today = dicomDate(atMs);
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4));
  const age = today.slice(4) < birthDate.slice(4) ? years - 1 : years;
  if (age < 0 || age > 999) return null;
  return `${String(age).padStart(3, '0')}Y`;
}
