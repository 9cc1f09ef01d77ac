import type { Faker } from '@faker-js/faker';
import { faker as english } from '@faker-js/faker/locale/en';
import { YeeterError } from '../../lib/errors.ts';
import type { Rng } from '../../lib/rng.ts';
import { type BoundArguments, bindArguments, type ParameterSpec } from './bind-arguments.ts';
import type { PythonCall } from './python-call.ts';
import { compileRelativeTime, DAY_MS, startOfMonth, startOfYear } from './relative-time.ts';
import { compileTimeFormat } from './strftime.ts';

/** Draws one value. `nowMs` is the virtual clock. */
type Draw = (rng: Rng, nowMs: number) => string;
type DrawTime = (rng: Rng, nowMs: number) => number;

interface TextCall {
  parameters: Readonly<Record<string, ParameterSpec>>;
  compile(args: BoundArguments): Draw;
}

interface TimeCall {
  parameters: Readonly<Record<string, ParameterSpec>>;
  /** How Python writes such a value when no `.strftime()` follows. */
  format: string;
  time(args: BoundArguments): DrawTime;
}

type FakerCall = TextCall | TimeCall;

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const LETTERS = LOWER + LOWER.toUpperCase();
const DATE = '%Y-%m-%d';
const DATE_TIME = '%Y-%m-%d %H:%M:%S';

/** The compiler for Faker calls; all its calls are in a fixed list, and nothing else can be called. */
export interface FakerCalls {
  names: readonly string[];
  /** @throws {YeeterError} GENERATOR_INVALID for arguments that the call does not take. */
  compile(call: PythonCall): Draw | null;
}

export function createFakerCalls(): FakerCalls {
  const table = createTable();
  return {
    names: [...table.keys()],
    compile(call) {
      const entry = table.get(call.name);
      if (!entry) return null;
      const args = bindArguments(call, entry.parameters);
      if ('time' in entry) {
        const time = entry.time(args);
        const format = compileTimeFormat(call.format ?? entry.format);
        return (rng, nowMs) => format(time(rng, nowMs));
      }
      if (call.format !== null) {
        throw new YeeterError('GENERATOR_INVALID', `${call.name}() is no date: it has no .strftime()`);
      }
      return entry.compile(args);
    },
  };
}

function createTable(): ReadonlyMap<string, FakerCall> {
  return new Map<string, FakerCall>([
    ...Object.entries(numberCalls()),
    ...Object.entries(patternCalls()),
    ...Object.entries(timeCalls()),
    ...Object.entries(personCalls()),
  ]);
}

function plain(draw: Draw): TextCall {
  return { parameters: {}, compile: () => draw };
}

function numberCalls(): Record<string, FakerCall> {
  const between = (min: string, max: string): TextCall => ({
    parameters: {
      [min]: { type: 'integer', default: 0 },
      [max]: { type: 'integer', default: 9999 },
      step: { type: 'integer', default: 1 },
    },
    compile(args) {
      const [low, high, step] = [args.integer(min), args.integer(max), args.integer('step')];
      if (high < low || step < 1) {
        throw new YeeterError(
          'GENERATOR_INVALID',
          `${min} must not exceed ${max}, and step must be 1 or more`,
        );
      }
      const last = Math.floor((high - low) / step);
      return (rng) => String(low + step * rng.int(0, last));
    },
  });
  return {
    random_int: between('min', 'max'),
    pyint: between('min_value', 'max_value'),
    random_digit: plain((rng) => String(rng.int(0, 9))),
    random_digit_not_null: plain((rng) => String(rng.int(1, 9))),
    random_number: {
      parameters: {
        digits: { type: 'integer', default: null },
        fix_len: { type: 'boolean', default: false },
      },
      compile(args) {
        const digits = args.optionalInteger('digits');
        if (digits !== null && (digits < 1 || digits > 15)) {
          throw new YeeterError('GENERATOR_INVALID', `digits is ${digits}: it must lie between 1 and 15`);
        }
        const fixed = args.boolean('fix_len');
        return (rng) => {
          const length = digits ?? rng.int(1, 9);
          return String(rng.int(fixed ? 10 ** (length - 1) : 0, 10 ** length - 1));
        };
      },
    },
    boolean: {
      parameters: { chance_of_getting_true: { type: 'integer', default: 50 } },
      compile(args) {
        const chance = args.integer('chance_of_getting_true') / 100;
        return (rng) => (rng.float() < chance ? 'True' : 'False');
      },
    },
    uuid4: plain((rng) => {
      const hex = Array.from({ length: 4 }, () => rng.next().toString(16).padStart(8, '0')).join('');
      const variant = '89ab'[rng.int(0, 3)];
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
    }),
  };
}

function patternCalls(): Record<string, FakerCall> {
  const letter = (letters: string): TextCall => plain((rng) => rng.pick([...letters]));
  const lettersParameter = { letters: { type: 'string', default: LETTERS } } as const;
  return {
    random_letter: letter(LETTERS),
    random_lowercase_letter: letter(LOWER),
    random_uppercase_letter: letter(LOWER.toUpperCase()),
    random_element: {
      parameters: { elements: { type: 'elements', default: ['a', 'b', 'c'] } },
      compile(args) {
        const elements = args.elements('elements');
        return (rng) => rng.pick(elements);
      },
    },
    numerify: {
      parameters: { text: { type: 'string', default: '###' } },
      compile: (args) => pattern(args.string('text'), digitMarks()),
    },
    lexify: {
      parameters: { text: { type: 'string', default: '????' }, ...lettersParameter },
      compile: (args) => pattern(args.string('text'), letterMarks(args.string('letters'))),
    },
    bothify: {
      parameters: { text: { type: 'string', default: '## ??' }, ...lettersParameter },
      compile: (args) =>
        pattern(args.string('text'), new Map([...digitMarks(), ...letterMarks(args.string('letters'))])),
    },
    hexify: {
      parameters: {
        text: { type: 'string', default: '^^^^' },
        upper: { type: 'boolean', default: false },
      },
      compile(args) {
        const digits = args.boolean('upper') ? `${DIGITS}ABCDEF` : `${DIGITS}abcdef`;
        return pattern(args.string('text'), new Map([['^', [...digits]]]));
      },
    },
  };
}

/** In Python's Faker `#` is a digit, `%` one that is not 0, `!` and `@` the same or nothing. */
function digitMarks(): Map<string, readonly string[]> {
  const digits = [...DIGITS];
  return new Map([
    ['#', digits],
    ['%', digits.slice(1)],
    ['!', [...digits, '']],
    ['@', [...digits.slice(1), '']],
  ]);
}

function letterMarks(letters: string): Map<string, readonly string[]> {
  if (letters === '') throw new YeeterError('GENERATOR_INVALID', 'letters is empty');
  return new Map([['?', [...letters]]]);
}

function pattern(text: string, marks: ReadonlyMap<string, readonly string[]>): Draw {
  const parts = [...text].map((character) => marks.get(character) ?? character);
  return (rng) => {
    let out = '';
    for (const part of parts) out += typeof part === 'string' ? part : rng.pick(part);
    return out;
  };
}

function timeCalls(): Record<string, FakerCall> {
  const within = (start: DrawTimeStart, format: string): TimeCall => ({
    parameters: {
      before_now: { type: 'boolean', default: true },
      after_now: { type: 'boolean', default: false },
    },
    format,
    time(args) {
      const [before, after] = [args.boolean('before_now'), args.boolean('after_now')];
      return (rng, nowMs) => {
        const from = before || !after ? start(nowMs, 0) : nowMs;
        return between(rng, from, after ? start(nowMs, 1) - 1 : nowMs);
      };
    },
  });
  const range = (from: string, to: string, format: string): TimeCall => ({
    parameters: {
      start_date: { type: 'string', default: from },
      end_date: { type: 'string', default: to },
    },
    format,
    time(args) {
      const start = compileRelativeTime(args.string('start_date'));
      const end = compileRelativeTime(args.string('end_date'));
      return (rng, nowMs) => between(rng, start(nowMs), end(nowMs));
    },
  });
  const birth: TimeCall = {
    parameters: {
      tzinfo: { type: 'none', default: null },
      minimum_age: { type: 'integer', default: 0 },
      maximum_age: { type: 'integer', default: 115 },
    },
    format: DATE,
    time(args) {
      const [youngest, oldest] = [args.integer('minimum_age'), args.integer('maximum_age')];
      if (youngest < 0 || oldest < youngest) {
        throw new YeeterError('GENERATOR_INVALID', 'minimum_age must not be negative or exceed maximum_age');
      }
      const latest = compileRelativeTime(`-${youngest}y`);
      const earliest = compileRelativeTime(`-${oldest + 1}y`);
      // The day after, since one who was born that very day is already older.
      return (rng, nowMs) => between(rng, earliest(nowMs) + DAY_MS, latest(nowMs));
    },
  };
  const formatted = (format: string): TextCall => ({
    parameters: { pattern: { type: 'string', default: format } },
    compile(args) {
      const write = compileTimeFormat(args.string('pattern'));
      return (rng, nowMs) => write(between(rng, 0, nowMs));
    },
  });
  return {
    date_time_this_year: within(startOfYear, DATE_TIME),
    date_this_year: within(startOfYear, DATE),
    date_time_this_month: within(startOfMonth, DATE_TIME),
    date_this_month: within(startOfMonth, DATE),
    date_time_between: range('-30y', 'now', DATE_TIME),
    date_between: range('-30y', 'today', DATE),
    past_datetime: range('-30d', 'now', DATE_TIME),
    past_date: range('-30d', '-1d', DATE),
    future_datetime: range('now', '+30d', DATE_TIME),
    future_date: range('+1d', '+30d', DATE),
    date_time: range('-50y', 'now', DATE_TIME),
    date_of_birth: birth,
    date: formatted(DATE),
    time: formatted('%H:%M:%S'),
    year: formatted('%Y'),
    month: formatted('%m'),
    day_of_month: formatted('%d'),
  };
}

type DrawTimeStart = (nowMs: number, periodsLater: number) => number;

/** A whole second between two moments, in either order. */
function between(rng: Rng, a: number, b: number): number {
  const [from, to] = a < b ? [a, b] : [b, a];
  return Math.min(to, from + 1000 * rng.int(0, Math.floor((to - from) / 1000)));
}

/** Calls whose word lists are those of Faker's English locale. */
function personCalls(): Record<string, FakerCall> {
  const { faker, use } = createFaker();
  const word = (draw: (faker: Faker) => string): TextCall =>
    plain((rng) => {
      use(rng);
      return draw(faker);
    });
  return {
    first_name: word((f) => f.person.firstName()),
    first_name_female: word((f) => f.person.firstName('female')),
    first_name_male: word((f) => f.person.firstName('male')),
    last_name: word((f) => f.person.lastName()),
    name: word((f) => `${f.person.firstName()} ${f.person.lastName()}`),
    prefix: word((f) => f.person.prefix()),
    suffix: word((f) => f.person.suffix()),
    job: word((f) => f.person.jobTitle()),
    city: word((f) => f.location.city()),
    state: word((f) => f.location.state()),
    state_abbr: word((f) => f.location.state({ abbreviated: true })),
    street_address: word((f) => f.location.streetAddress()),
    street_name: word((f) => f.location.street()),
    building_number: word((f) => f.location.buildingNumber()),
    secondary_address: word((f) => f.location.secondaryAddress()),
    postcode: word((f) => f.location.zipCode('#####')),
    zipcode: word((f) => f.location.zipCode('#####')),
    country: word((f) => ascii(f.location.country())),
    country_code: word((f) => f.location.countryCode()),
    phone_number: word((f) => f.phone.number({ style: 'national' })),
    ssn: plain(pattern('###-##-####', digitMarks())),
    company: word((f) => f.company.name()),
    email: word((f) => f.internet.email({ provider: 'example.com' }).toLowerCase()),
    user_name: word((f) => f.internet.username().toLowerCase()),
    word: word((f) => f.lorem.word()),
    sentence: word((f) => f.lorem.sentence()),
  };
}

/** Some names of countries have accents, and a message is ASCII unless its MSH-18 says otherwise. */
function ascii(text: string): string {
  return text.normalize('NFD').replace(/[\u0300-\u036f]/g, '');
}

/** A Faker of its own that draws from whatever generator it was last told to use. */
function createFaker(): { faker: Faker; use(rng: Rng): void } {
  let current: Rng | null = null;
  const next = (): number => {
    if (!current) throw new YeeterError('INTERNAL', 'a Faker call was drawn without a generator');
    return current.float();
  };
  // The class comes from the English instance, since its own module loads every locale (44 MB, 0.3 s).
  const FakerClass = english.constructor as typeof Faker;
  const faker = new FakerClass({
    locale: [english.rawDefinitions],
    randomizer: { next, seed: () => undefined },
  });
  return {
    faker,
    use(rng) {
      current = rng;
    },
  };
}
