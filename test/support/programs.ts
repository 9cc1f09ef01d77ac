import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** As Debian installs it. */
export const CHROMIUM = '/usr/bin/chromium';

const POSTGRES_BIN = '/usr/lib/postgresql/15/bin';

/** The Debian packages that tests need, and how to tell that one is there. */
const PROGRAMS = {
  chromium: { found: () => existsSync(CHROMIUM) },
  dcmtk: { found: () => existsSync('/usr/bin/storescp') },
  dicom3tools: { found: () => existsSync('/usr/bin/dciodvfy') },
  orthanc: { found: () => existsSync('/usr/sbin/Orthanc') },
  postgresql: { found: () => existsSync(`${POSTGRES_BIN}/postgres`) },
  'python3-hl7': { found: () => spawnSync(PYTHON, ['-c', 'import hl7']).status === 0 },
  'rabbitmq-server': { found: () => existsSync('/usr/lib/rabbitmq/bin/rabbitmq-server') },
} as const satisfies Record<string, { found: () => boolean }>;

export type DebianPackage = keyof typeof PROGRAMS;

/** Debian's own Python: its packages are not seen by one that stands before it in PATH. */
export const PYTHON = '/usr/bin/python3';

export { POSTGRES_BIN };

export function missingPackages(): DebianPackage[] {
  return (Object.keys(PROGRAMS) as DebianPackage[]).filter((name) => !PROGRAMS[name].found());
}

/** For the `skip` option of a test: false, or why the test cannot run here. */
export function without(...names: DebianPackage[]): string | false {
  const missing = names.filter((name) => !PROGRAMS[name].found());
  return missing.length > 0 && `${missing.join(', ')} not installed: apt-get install ${missing.join(' ')}`;
}
