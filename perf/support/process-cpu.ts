import { readFile } from 'node:fs/promises';

/** Of a clock tick, as Linux tells processor time. */
const TICK_US = 10_000;

/** Processor time of the process `pid`, user and system, microseconds (proc(5)). */
export async function processCpuUs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(utime) + Number(stime)) * TICK_US;
}
