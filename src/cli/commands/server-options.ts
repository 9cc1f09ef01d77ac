import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_API_URL, type ServerFlags } from '../remote/session.ts';
import { settingBy } from './options.ts';

const API_URL = '--api-url <url>';
const INSECURE = '--insecure';

const apiUrl = settingBy('--api-url', 'YEETER_API_URL');

/** Options of every command that talks to a server. */
export function withServer(command: Command): Command {
  return command
    .option(
      API_URL,
      `the server (environment: YEETER_API_URL; else that of the last login, ${DEFAULT_API_URL})`,
      apiUrl,
    )
    .option(INSECURE, "take any certificate: for a test server's self-signed one");
}

/** Lets the options of the server stand in front of the command as well: `yeeter --api-url URL runs list`. */
export function allowServerOptionsInFront(program: Command): void {
  program
    .addOption(new Option(API_URL).argParser(apiUrl).hideHelp())
    .addOption(new Option(INSECURE).hideHelp())
    .hook('preAction', (_, command) => {
      for (const [name, given] of Object.entries(program.opts<ServerFlags>())) {
        if (given === undefined || command.options.some((option) => option.attributeName() === name))
          continue;
        command.error(
          `error: "${command.name()}" does not talk to a server: leave --api-url and --insecure out`,
          {
            exitCode: 2,
          },
        );
      }
    });
}

/** The flags of a command with those of the server, wherever they stood. */
export function serverFlags(command: Command): ServerFlags {
  return command.optsWithGlobals<ServerFlags>();
}

/** `--output` and `--format` are the same. */
export function withFormat<const Format extends string>(
  command: Command,
  formats: readonly Format[],
  byDefault: Format = formats[0]!,
): Command {
  return command.addOption(
    new Option('--output, --format <format>', 'how it is printed').choices(formats).default(byDefault),
  );
}

/** A commander parser of lengths of time. @returns seconds */
export function seconds(text: string): number {
  const match = /^(\d{1,9})(s|m|h|d)?$/.exec(text);
  if (!match) throw new InvalidArgumentError('it is not a length of time, for example 90, 90s, 15m or 2h.');
  const factor = { s: 1, m: 60, h: 3600, d: 86_400 }[match[2] ?? 's'] ?? 1;
  return Number(match[1]) * factor;
}
