import type { Step, StepOf, StepType, Template } from '../../src/domain/template.ts';

/** A template of the given steps, numbered as they come. */
export function testTemplate(steps: readonly Step[], change: Partial<Template> = {}): Template {
  return {
    name: 'test',
    description: '',
    onFailure: 'continue',
    steps: steps.map((step, index) => ({ ...step, stepOrder: index + 1 }) as Step),
    endpoints: {},
    generators: {},
    caseMix: { CT: 1 },
    returningShare: 0,
    stations: [],
    ...change,
  };
}

/** A step with the defaults of its surroundings. */
export function testStep<T extends StepType>(
  stepType: T,
  parameters: StepOf<T>['parameters'],
  change: Partial<StepOf<T>> = {},
): StepOf<T> {
  return {
    stepType,
    parameters,
    stepOrder: 0,
    label: null,
    execution: 'inline',
    queue: 'yeeter.simulation.orders',
    jobType: null,
    retry: null,
    metadata: {},
    repeat: { count: 1, delayMs: 0 },
    ...change,
  } as StepOf<T>;
}
