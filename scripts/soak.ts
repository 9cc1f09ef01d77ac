/**
 * What takes longer than the tests may: prints its results and writes them to docs/soak.md.
 *
 *   npm run soak [-- --patients 10000] [--times 20] [--rounds 5] [--storm-patients 3000] [--short-runs 200] [--only storm]
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { killAtPoints, RUNNER_POINTS, WORKER_POINTS } from '../test/support/kill-scenarios.ts';
import { without } from '../test/support/programs.ts';
import { carryShortRuns } from '../test/support/short-runs.ts';
import { soakKilledWorkers } from '../test/support/soak-killed-workers.ts';
import { carryThroughStorm, KILL_RUNNER, KILL_SERVER, KILL_WORKER, restarts } from '../test/support/storm.ts';
import { openStruckServers } from '../test/support/struck-servers.ts';

const RESULTS = fileURLToPath(new URL('../docs/soak.md', import.meta.url));
const PATIENTS_OF_A_KILLED_RUN = 24;

const { values } = parseArgs({
  options: {
    patients: { type: 'string', default: '10000' },
    times: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '5' },
    'storm-patients': { type: 'string', default: '3000' },
    'short-runs': { type: 'string', default: '200' },
    only: { type: 'string' },
  },
});

type Row = Record<string, string | number>;

interface Section {
  title: string;
  /** What was done, and when it passes. */
  text: readonly string[];
  soak(): Promise<Row[]>;
}

const SECTIONS: readonly Section[] = [
  {
    title: 'Killed workers, killed broker',
    text: [
      'Order, images and storage over three queues on RabbitMQ and PostgreSQL, 16 patients at a time, two workers, one of',
      'them killed (SIGKILL) every two seconds and started again, the broker killed and started once. It passes when every',
      'patient completed, every job is settled once, and the receivers have had at least what was to be sent; what they had',
      'beyond that are the effects that were repeated.',
    ],
    soak: async () => {
      const cwd = await mkdtemp(join(tmpdir(), 'yeeter-soak-'));
      try {
        const result = await soakKilledWorkers(Number(values.patients), cwd);
        return Object.entries(result).map(([name, value]) => ({ what: words(name), value }));
      } finally {
        await rm(cwd, { recursive: true, force: true });
      }
    },
  },
  {
    title: 'Killed at each point',
    text: [
      'A worker or a runner kills itself (SIGKILL) before, during or after each call at which something may be lost, while',
      `runs of ${PATIENTS_OF_A_KILLED_RUN} patients with a hop, a wait, retries and dead letters go on. It passes when each of these runs has one end`,
      'for every patient and one settlement for every job, totals that are those of the rows, dead letters that are the',
      'dead jobs, and counts of what may have been repeated that are no lower than what the receiver had twice.',
    ],
    soak: killPoints,
  },
  {
    title: 'Storm',
    text: [
      'Two runners, two workers, a server that is asked without pause, one run; while it goes on workers, runners and the',
      'server are killed, connections to the broker cut, the database ended at once and started again, the broker killed and',
      'stopped and started again. It passes like the one above, and when the server then tells what is in the ledger.',
    ],
    soak: storm,
  },
  {
    title: 'Short runs',
    text: [
      'Runs of 1 to 8 patients, eight at a time, two runners and two workers: the last job often ends before its runner has',
      'looked for the first time. It passes when each ends in the right state with the right totals and nothing was repeated.',
    ],
    soak: shortRuns,
  },
];

async function killPoints(): Promise<Row[]> {
  await using servers = await openStruckServers({ leaseMs: 600 });
  const { bench } = servers;
  const rows: Row[] = [];
  for (const [kind, kinds] of [
    ['worker', WORKER_POINTS],
    ['runner', RUNNER_POINTS],
  ] as const)
    for (const [name, points] of Object.entries(kinds)) {
      const times = Number(values.times);
      const carried = await killAtPoints(bench, { kind, points, times, patients: PATIENTS_OF_A_KILLED_RUN });
      rows.push({ process: kind, around: name, points: points.length, ...carried });
      console.log(`${kind}, ${name}: ${carried.kills} kills, ${carried.runs} runs`);
    }
  return rows;
}

async function storm(): Promise<Row[]> {
  await using servers = await openStruckServers();
  const { bench, postgres, rabbitmq, proxy } = servers;
  const { ledger, brokerStopped, brokerKilled, cut } = restarts(postgres, rabbitmq, proxy);
  const blows = [
    ...[KILL_WORKER, KILL_RUNNER, cut, KILL_SERVER, ledger, KILL_WORKER, brokerKilled, KILL_RUNNER],
    ...[brokerStopped, KILL_WORKER, KILL_SERVER, KILL_WORKER, ledger, KILL_RUNNER, cut, KILL_WORKER],
  ];
  const rows: Row[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const patients = Number(values['storm-patients']);
    const { totals, messages, distinct } = await carryThroughStorm(bench, patients, blows);
    const { completed, failed, jobs, attempts, possiblyRepeated, duplicates } = totals;
    rows.push({
      ...{ round, patients, blows: blows.length, completed, failed, jobs, attempts },
      ...{ 'possibly repeated': possiblyRepeated, duplicates, messages, 'distinct messages': distinct },
    });
    console.log(`storm ${round}: ${completed + failed} of ${patients} patients accounted for`);
  }
  return rows;
}

async function shortRuns(): Promise<Row[]> {
  await using servers = await openStruckServers();
  const { bench } = servers;
  return [{ ...(await carryShortRuns(bench, Number(values['short-runs']))) }];
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function table(rows: readonly Row[]): string[] {
  const names = Object.keys(rows[0] ?? {});
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(names),
    line(names.map(() => '---')),
    ...rows.map((row) => line(names.map((name) => row[name] ?? ''))),
  ];
}

const missing = without('rabbitmq-server', 'postgresql');
if (missing) {
  console.error(missing);
  process.exit(1);
}

/** The page's sections by their titles; those that were not taken this time stay as they are. */
async function readSections(): Promise<Map<string, string>> {
  const page = await readFile(RESULTS, 'utf8').catch(() => '');
  return new Map(
    page
      .split(/^## /m)
      .slice(1)
      .map((text) => [text.slice(0, text.indexOf('\n')), `## ${text.trimEnd()}`]),
  );
}

const results = await readSections();
for (const { title, text, soak } of SECTIONS) {
  if (values.only && !title.toLowerCase().includes(values.only.toLowerCase())) continue;
  const rows = await soak();
  console.table(rows);
  const when = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, Node ${process.version}.`;
  results.set(title, [`## ${title}`, '', ...text, '', when, '', ...table(rows)].join('\n'));
  const page = SECTIONS.flatMap((section) => results.get(section.title) ?? []);
  await writeFile(RESULTS, `# Soak\n\nThe last results of \`npm run soak\`.\n\n${page.join('\n\n')}\n`);
}
