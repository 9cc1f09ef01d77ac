import { type Command, InvalidArgumentError } from 'commander';
import { checkSetting, type Setting } from '../../config/config.ts';
import { checkUidRoot } from '../../dicom/uids.ts';
import { isQueueName, QUEUE_NAME_RULE } from '../../lib/queue-name.ts';

/** A commander parser of whole numbers within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`it is not a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A commander parser of times. @returns milliseconds since the epoch */
export function isoTime(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError('it is not an ISO 8601 time, for example 2026-01-05T07:00:00Z.');
  }
  return ms;
}

/** A commander parser of queues, separated by commas; spaces around a name are not of it. Each is given once. */
export function queueNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.filter((name) => !isQueueName(name)).map((name) => `"${name}" is not`);
  if (wrong.length > 0) throw new InvalidArgumentError(`${wrong.join(' and ')} ${QUEUE_NAME_RULE}.`);
  return [...new Set(names)];
}

/** A commander parser of a setting that may come by an option. @throws {YeeterError} CONFIG_INVALID */
export function settingBy(option: string, setting: Setting): (text: string) => string {
  return (text) => {
    checkSetting(setting, option, text);
    return text;
  };
}

/** Gathers an option that may be given more than once. */
export function gather(text: string, earlier: readonly string[]): string[] {
  return [...earlier, text];
}

/** A commander parser of UID roots. @throws {YeeterError} CONFIG_INVALID */
export function uidRoot(text: string): string {
  checkUidRoot(text);
  return text;
}

/** Ends the help of a group of commands with a text, and that of each of its commands with the examples of its own. */
export function addExamples(group: Command, text: string): void {
  group.addHelpText('after', text);
  for (const command of group.commands) {
    const start = `  $ yeeter ${group.name()} ${command.name()}`;
    const own = text.split('\n').filter((line) => line === start || line.startsWith(`${start} `));
    if (own.length > 0) command.addHelpText('after', ['', 'Examples:', ...own].join('\n'));
  }
}

export const MAX_PORT = 65_535;
