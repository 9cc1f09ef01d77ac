import type { Template } from './template.ts';

/** Queues that a template's async steps name, once each. */
export function asyncQueues(template: Pick<Template, 'steps'>): string[] {
  const queues = template.steps.filter((step) => step.execution === 'async').map((step) => step.queue);
  return [...new Set(queues)];
}
