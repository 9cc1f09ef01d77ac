import { hash } from 'node:crypto';
import { controlId } from '../domain/control-id.ts';
import { addDigest } from '../domain/manifest.ts';
import { laterWins } from '../domain/order.ts';
import type { StepOf, Template } from '../domain/template.ts';
import { type CompiledGenerator, compileGenerator, type GeneratorFault } from '../hl7/generator-compiler.ts';
import { readControl } from '../hl7/message.ts';
import { YeeterError } from '../lib/errors.ts';
import { createRng } from '../lib/rng.ts';
import { createCueCompiler } from './cues/compile-cue.ts';
import type { RenderContext } from './cues/render-context.ts';
import { readOrderContext } from './order-context.ts';
import { STEP_OK, type StepHandler } from './step.ts';

/** Compiled once a run, by step order: the same generator may be read with another accession field. */
export type CompiledGenerators = ReadonlyMap<number, CompiledGenerator<RenderContext>>;

/** Faults of a generator's content, each with its line from 1; empty when it is sound. */
export function checkGenerator(content: string): readonly GeneratorFault[] {
  const compiled = compileGenerator(content, createCueCompiler());
  return compiled.ok ? [] : compiled.faults;
}

/** @throws {YeeterError} GENERATOR_INVALID with all faults, though loading the template has checked them already */
export function compileGenerators(template: Template): CompiledGenerators {
  const compiled = new Map<number, CompiledGenerator<RenderContext>>();
  for (const step of template.steps) {
    if (step.stepType === 'GENERATE_HL7') compiled.set(step.stepOrder, compileFor(step, template));
  }
  return compiled;
}

function compileFor(step: StepOf<'GENERATE_HL7'>, template: Template): CompiledGenerator<RenderContext> {
  const { generator: name, accessionField } = step.parameters;
  const content = template.generators[name]?.content ?? '';
  const result = compileGenerator(content, createCueCompiler({ accessionField }));
  if (result.ok) return result.generator;
  const faults = result.faults.map((fault) => fault.message).join('; ');
  throw new YeeterError('GENERATOR_INVALID', `step ${step.stepOrder}, generator "${name}": ${faults}`);
}

/** Renders the message of this patient and reads from it what it says about the order. */
export const generateHl7: StepHandler<'GENERATE_HL7'> = (step, call, environment) => {
  const { identity, generators, template } = environment;
  const { state, iteration, repetition } = call;
  const place = [identity.seed, identity.namespace, iteration, step.stepOrder, repetition] as const;
  const text = generators.get(step.stepOrder)!.render({
    patient: state.patient,
    order: state.order,
    controlId: controlId(identity, iteration, step.stepOrder, repetition),
    nowMs: state.order.requestedAtMs,
    rng: createRng('hl7', ...place),
    run: {
      seed: identity.seed,
      namespace: identity.namespace,
      templateName: template.name,
      iteration,
      repetition,
      state,
    },
  });
  state.message = { text, controlId: readControl(text) ?? '' };
  const read = readOrderContext(text, step.parameters.accessionField);
  state.orderContext = laterWins(state.orderContext, read);
  addDigest(state.accounts.digest, hash('sha256', text, 'buffer'));
  return STEP_OK;
};
