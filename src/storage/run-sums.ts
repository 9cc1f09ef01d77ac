import type { AttemptRow, IterationRow } from './port.ts';

/*
 * What the rows of a run add up to. Each sum is an aggregate over the rows of one table, which `run_sums` keeps in a
 * column of the same name. The statement that adds rows computes it, or whoever encodes them.
 */

export type SumValue = number | bigint | null;

export interface Sum<Row = never> {
  name: string;
  merge: 'add' | 'least' | 'greatest';
  /** Aggregate over rows of the table. */
  of: string;
  /** What one row adds to it, or has for it. */
  value: (row: Row) => SumValue;
  /** Not a whole number. */
  isReal?: true;
}

const counted = <Row>(name: string, condition: string, counts: (row: Row) => boolean): Sum<Row> => ({
  name,
  merge: 'add',
  of: `count(*) filter (where ${condition})`,
  value: (row) => (counts(row) ? 1 : 0),
});
const added = <Row>(name: string, value: (row: Row) => SumValue, of = name): Sum<Row> => ({
  name,
  merge: 'add',
  of: `coalesce(sum(${of}), 0)`,
  value,
});
const least = <Row>(name: string, value: (row: Row) => SumValue, of = name): Sum<Row> => ({
  name,
  merge: 'least',
  of: `min(${of})`,
  value,
});
const greatest = <Row>(name: string, value: (row: Row) => SumValue, of = name): Sum<Row> => ({
  name,
  merge: 'greatest',
  of: `max(${of})`,
  value,
});

const real = <Row>(sum: Sum<Row>): Sum<Row> => ({ ...sum, isReal: true });

type Iterations = Sum<IterationRow>;
type Attempts = Sum<AttemptRow>;

const hasStored = ({ outcome, dicom }: IterationRow): boolean =>
  outcome === 'completed' && dicom.successInstances > 0;
const lane = (n: 0 | 1 | 2 | 3): Iterations =>
  added(`digest${n}`, ({ digestLanes }) => BigInt(digestLanes[n]));

/** How iterations ended. */
export const OUTCOME_SUMS: readonly Iterations[] = (['completed', 'failed', 'cancelled'] as const).map(
  (outcome): Iterations => counted(outcome, `outcome = '${outcome}'`, (row) => row.outcome === outcome),
);

export const ITERATION_SUMS: readonly Iterations[] = [
  ...OUTCOME_SUMS,
  added('sut_us', ({ sutUs }) => sutUs),
  added('own_us', ({ ownUs }) => ownUs),
  {
    name: 'studies_stored',
    merge: 'add',
    of: "coalesce(sum(cardinality(study_instance_uids)) filter (where outcome = 'completed' and dicom_success_instances > 0), 0)",
    value: (row) => (hasStored(row) ? row.studyInstanceUids.length : 0),
  },
  added('dicom_attempted_instances', ({ dicom }) => dicom.attemptedInstances),
  added('dicom_success_instances', ({ dicom }) => dicom.successInstances),
  added('dicom_attempted_bytes', ({ dicom }) => dicom.attemptedBytes),
  added('dicom_success_bytes', ({ dicom }) => dicom.successBytes),
  added('dicom_send_count', ({ dicom }) => dicom.sendCount),
  added('dicom_send_sum_us', ({ dicom }) => dicom.sendSumUs),
  least('dicom_send_min_us', ({ dicom }) => dicom.sendMinUs),
  greatest('dicom_send_max_us', ({ dicom }) => dicom.sendMaxUs),
  real(added('dicom_throughput_sum_mbps', ({ dicom }) => dicom.throughputSumMbps)),
  real(least('dicom_throughput_min_mbps', ({ dicom }) => dicom.throughputMinMbps)),
  real(greatest('dicom_throughput_max_mbps', ({ dicom }) => dicom.throughputMaxMbps)),
  added('dicom_throughput_count', ({ dicom }) => dicom.throughputCount),
  lane(0),
  lane(1),
  lane(2),
  lane(3),
];

/** Columns of a terminal row that its sums are made of. */
export const SUMMED_ITERATION_COLUMNS = [
  'run_id, outcome, study_instance_uids',
  ...ITERATION_SUMS.slice(OUTCOME_SUMS.length).flatMap(({ name }) =>
    name === 'studies_stored' ? [] : [name],
  ),
].join(', ');

/** Jobs as they are settled, each by one attempt, which this aggregates over. */
export const JOB_SUMS: readonly Attempts[] = [
  {
    name: 'jobs',
    merge: 'add',
    of: "count(*) filter (where outcome <> 'retried')",
    value: ({ outcome }) => (outcome === 'retried' ? 0 : 1),
  },
  counted('jobs_succeeded', "outcome = 'success'", ({ outcome }) => outcome === 'success'),
  counted('jobs_dead', "outcome = 'dead'", ({ outcome }) => outcome === 'dead'),
  // Each put another on its queue, which goes on with the patient.
  counted(
    'jobs_handed_on',
    "outcome = 'success' and remaining_steps > 0",
    ({ outcome, remainingSteps }) => outcome === 'success' && remainingSteps > 0,
  ),
];

export const ATTEMPT_SUMS: readonly Attempts[] = [
  { name: 'attempts', merge: 'add', of: 'count(*)', value: () => 1 },
  counted('attempts_succeeded', "outcome = 'success'", ({ outcome }) => outcome === 'success'),
  added('attempt_duration_sum_us', ({ durationUs }) => durationUs, 'duration_us'),
  least('attempt_duration_min_us', ({ durationUs }) => durationUs, 'duration_us'),
  greatest('attempt_duration_max_us', ({ durationUs }) => durationUs, 'duration_us'),
];

/** Of attempts none of which comes to a job that was settled before. */
export const SETTLING_SUMS: readonly Attempts[] = [...ATTEMPT_SUMS, ...JOB_SUMS];

/** No rows tell these. */
export const COUNTED_ALONE = ['duplicates', 'requeued'];

const MERGED = new Map([
  ...[...ITERATION_SUMS, ...SETTLING_SUMS].map(({ name, merge }) => [name, merge] as const),
  ...COUNTED_ALONE.map((name) => [name, 'add'] as const),
]);

/** Runs have so many rows in `run_sums`. */
export const SLOTS = 32;

/** `a as b, ...`: the sums over the rows of their table. */
export function aggregates(sums: readonly Sum[]): string {
  return sums.map(({ name, of }) => `${of} as ${name}`).join(', ');
}

/** The negative of what `aggregates` gives, for rows that are taken away. Extremes cannot be taken back: they stay. */
export function undone(sums: readonly Sum[]): { names: string[]; values: string } {
  const additive = sums.filter(({ merge }) => merge === 'add');
  return {
    names: additive.map(({ name }) => name),
    values: additive.map(({ of }) => `-(${of})`).join(', '),
  };
}

export const namesOf = (named: readonly { name: string }[]): string[] => named.map(({ name }) => name);

function ownValue<Row>({ value, isReal }: Sum<Row>, row: Row): SumValue {
  const own = value(row);
  return typeof own === 'number' && !isReal ? Math.round(own) : own;
}

function merged(merge: Sum['merge'], one: SumValue, other: SumValue): SumValue {
  if (one === null || other === null) return one ?? other;
  if (merge === 'least') return one < other ? one : other;
  if (merge === 'greatest') return one > other ? one : other;
  return typeof one === 'bigint' ? one + BigInt(other) : one + Number(other);
}

/** By their run: what the aggregates over these rows would give, in the order of `sums`. */
export function addUp<Row extends { runId: number }>(
  rows: readonly Row[],
  sums: readonly Sum<Row>[],
): Map<number, SumValue[]> {
  const perRun = new Map<number, SumValue[]>();
  for (const row of rows) {
    const totals = perRun.get(row.runId);
    if (!totals)
      perRun.set(
        row.runId,
        sums.map((sum) => ownValue(sum, row)),
      );
    else
      for (let i = 0; i < sums.length; i++)
        totals[i] = merged(sums[i]!.merge, totals[i]!, ownValue(sums[i]!, row));
  }
  return perRun;
}

/** Merges rows of (run, slot, names...) that `source` selects into `run_sums`. */
export function mergeSums(names: readonly string[], source: string): string {
  const set = names.map((name) => {
    const merge = MERGED.get(name)!;
    return merge === 'add'
      ? `${name} = run_sums.${name} + excluded.${name}`
      : `${name} = ${merge}(run_sums.${name}, excluded.${name})`;
  });
  return (
    `insert into run_sums (run_id, slot, ${names.join(', ')}) ${source} ` +
    `on conflict (run_id, slot) do update set ${set.join(', ')}`
  );
}

/** `run_id` and the sums, all slots together, of the runs $1; none for a run without a row. */
export function storedSums(names: readonly string[]): string {
  const columns = names.map((name) => {
    const merge = MERGED.get(name)!;
    if (merge === 'add') return `sum(${name})`;
    return `${merge === 'least' ? 'min' : 'max'}(${name})`;
  });
  return `select run_id, ${columns.join(', ')} from run_sums where run_id = any($1::int8[]) group by run_id`;
}

/** What a run without rows adds up to. */
export function emptySum(name: string): 0 | null {
  return MERGED.get(name) === 'add' ? 0 : null;
}
