import type { TestCounts } from './run-tests.ts';

/** Prints what was skipped and why, then the count as the last line, and sets the exit code. */
export function printSummary(counts: TestCounts): void {
  if (counts.skipped.length > 0) console.log('\nSkipped:');
  for (const { name, reason } of counts.skipped) console.log(`  ${name}${reason && `: ${reason}`}`);
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped.length} skipped`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}
