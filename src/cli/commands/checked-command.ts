import { type Argument, Command, InvalidArgumentError, type Option } from 'commander';
import { YeeterError } from '../../lib/errors.ts';

/** A command that tells of all values which it cannot take at once, rather than of the first alone. */
export class CheckedCommand extends Command {
  readonly #faults: string[];

  /** @param faults shared by a program and its commands */
  constructor(name?: string, faults: string[] = []) {
    super(name);
    this.#faults = faults;
  }

  override createCommand(name?: string): CheckedCommand {
    return new CheckedCommand(name, this.#faults);
  }

  override addOption(option: Option): this {
    return super.addOption(this.#checked(option, `option '${option.flags}' argument`));
  }

  override addArgument(argument: Argument): this {
    return super.addArgument(this.#checked(argument, `argument <${argument.name()}>`));
  }

  /** What the values before it had wrong is told first. */
  override error(...[message, options]: Parameters<Command['error']>): never {
    return super.error([...this.#faults.splice(0), message].join('\n'), options);
  }

  /** Ends with 2 when there was a value that could not be taken. */
  reportFaults(): void {
    const last = this.#faults.pop();
    if (last !== undefined) this.error(last, { exitCode: 2 });
  }

  #checked<Place extends Option | Argument>(place: Place, named: string): Place {
    const { parseArg } = place;
    if (!parseArg) return place;
    place.parseArg = <T>(text: string, previous: T): T => {
      try {
        return parseArg(text, previous);
      } catch (error) {
        this.#faults.push(`error: ${faultOf(error, `${named} '${text}'`)}`);
        return previous;
      }
    };
    return place;
  }
}

function faultOf(error: unknown, what: string): string {
  if (error instanceof InvalidArgumentError) return `${what} is invalid. ${error.message}`;
  if (error instanceof YeeterError) return `${error.code}: ${error.message}`;
  throw error;
}
