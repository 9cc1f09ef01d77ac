import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { EndpointType } from '../domain/endpoint.ts';
import { IMPLICIT_ENDPOINTS, loadTemplate } from '../domain/load-template.ts';
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

/**
 * @param more endpoints that exist without being in the file, beside the built-in ones
 * @throws {YeeterError} TEMPLATE_INVALID, TEMPLATE_UNREADABLE
 */
export function loadTemplateFile(
  nameOrPath: string,
  more: Readonly<Record<string, EndpointType>> = {},
): Template {
  const implicitEndpoints = { ...IMPLICIT_ENDPOINTS, ...more };
  return loadTemplate(templatePath(nameOrPath), { checkGenerator, implicitEndpoints });
}
