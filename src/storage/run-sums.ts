/*
 * What the rows of a run add up to. Each sum is an aggregate over the rows of one table; `run_sums` keeps it in a
 * column of the same name where it is kept up with the rows, and otherwise it is computed from them.
 */

interface Sum {
  name: string;
  merge: 'add' | 'least' | 'greatest';
  /** Aggregate over rows of the table. */
  of: string;
}

const counted = (name: string, condition?: string): Sum => ({
  name,
  merge: 'add',
  of: condition ? `count(*) filter (where ${condition})` : 'count(*)',
});
const added = (name: string, value = name): Sum => ({ name, merge: 'add', of: `coalesce(sum(${value}), 0)` });
const least = (name: string, value = name): Sum => ({ name, merge: 'least', of: `min(${value})` });
const greatest = (name: string, value = name): Sum => ({ name, merge: 'greatest', of: `max(${value})` });

export const ITERATION_SUMS: readonly Sum[] = [
  counted('completed', "outcome = 'completed'"),
  counted('failed', "outcome = 'failed'"),
  counted('cancelled', "outcome = 'cancelled'"),
  added('sut_us'),
  added('own_us'),
  {
    name: 'studies_stored',
    merge: 'add',
    of: "coalesce(sum(cardinality(study_instance_uids)) filter (where outcome = 'completed' and dicom_success_instances > 0), 0)",
  },
  added('dicom_attempted_instances'),
  added('dicom_success_instances'),
  added('dicom_attempted_bytes'),
  added('dicom_success_bytes'),
  added('dicom_send_count'),
  added('dicom_send_sum_us'),
  least('dicom_send_min_us'),
  greatest('dicom_send_max_us'),
  added('dicom_throughput_sum_mbps'),
  least('dicom_throughput_min_mbps'),
  greatest('dicom_throughput_max_mbps'),
  added('dicom_throughput_count'),
  added('digest0'),
  added('digest1'),
  added('digest2'),
  added('digest3'),
];

/** Columns of a terminal row that its sums are made of. */
export const SUMMED_ITERATION_COLUMNS = [
  'run_id, outcome, study_instance_uids',
  ...ITERATION_SUMS.slice(3).flatMap(({ name }) => (name === 'studies_stored' ? [] : [name])),
].join(', ');

export const JOB_SUMS: readonly Sum[] = [
  counted('jobs'),
  counted('jobs_succeeded', "outcome = 'success'"),
  counted('jobs_dead', "outcome = 'dead'"),
];

export const ATTEMPT_SUMS: readonly Sum[] = [
  counted('attempts'),
  counted('attempts_succeeded', "outcome = 'success'"),
  added('attempt_duration_sum_us', 'duration_us'),
  least('attempt_duration_min_us', 'duration_us'),
  greatest('attempt_duration_max_us', 'duration_us'),
];

/** Kept in `run_sums` in every shape: no rows tell them. */
const EVENTS: readonly Sum[] = [added('duplicates'), added('requeued')];

const MERGED = new Map(
  [...ITERATION_SUMS, ...JOB_SUMS, ...ATTEMPT_SUMS, ...EVENTS].map((sum) => [sum.name, sum.merge]),
);

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

export const namesOf = (sums: readonly Sum[]): string[] => sums.map(({ name }) => name);

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
