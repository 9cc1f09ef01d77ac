import { loadTemplate } from '../domain/load-template.ts';
import type { Template } from '../domain/template.ts';
import { YeeterError } from '../lib/errors.ts';
import { checkGenerator } from '../steps/generate-hl7.ts';
