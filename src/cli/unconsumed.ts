/** The command that works off queues. */
export function workerCommand(queues: readonly string[]): string {
  return `"yeeter worker --queues ${queues.join(',')}"`;
}

/** @param remedy what to do about it */
export function unconsumed(queues: readonly string[], remedy: string): string {
  return `nobody consumes ${queues.join(', ')}: ${remedy}`;
}
