import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadTemplate } from '../domain/load-template.ts';
import type { Template } from '../domain/template.ts';
import { checkGenerator } from '../steps/generate-hl7.ts';

/** The templates that come with the program, usable by their bare names. */
const EXAMPLES = fileURLToPath(new URL('../../examples/templates/', import.meta.url));

/** A path as it is; a bare name such as `order-to-image` is one of the built-in templates. */
export function templatePath(nameOrPath: string): string {
  if (existsSync(nameOrPath) || /[./\\]/.test(nameOrPath)) return nameOrPath;
  const builtIn = `${EXAMPLES}${nameOrPath}.yaml`;
  return existsSync(builtIn) ? builtIn : nameOrPath;
}

/** @throws {YeeterError} TEMPLATE_INVALID, TEMPLATE_UNREADABLE */
export function loadTemplateFile(nameOrPath: string): Template {
  return loadTemplate(templatePath(nameOrPath), { checkGenerator });
}
