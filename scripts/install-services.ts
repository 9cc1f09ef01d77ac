import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { type DebianPackage, missingPackages } from '../test/support/programs.ts';

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs what the tests need and this machine lacks, where that can be done: as root on Debian and its kin.
 * @returns what is still missing
 */
export function installServices(): DebianPackage[] {
  const missing = missingPackages();
  if (missing.length === 0) return missing;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return missing;
  console.log(`Installing ${missing.join(', ')} (once; a minute or two)...`);
  // Services of a fresh package start at once unless the machine's policy forbids it; the tests start their own.
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    if (apt('update')) apt('install', '-y', '--no-install-recommends', ...missing);
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
  return missingPackages();
}

function apt(...args: string[]): boolean {
  const { status, stdout, stderr } = spawnSync('apt-get', ['-qq', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
  });
  if (status !== 0) console.log(`apt-get ${args[0]} failed:\n${stdout}${stderr}`);
  return status === 0;
}
