import type { Command } from 'commander';
import { createApiKey, deleteApiKey, listApiKeys } from '../remote/api-keys.ts';
import { clearApiKey, login, register, storeApiKey } from '../remote/login.ts';
import { OUTPUT_FORMATS } from '../remote/output.ts';
import { addExamples, wholeNumber } from './options.ts';
import { serverFlags, withFormat, withServer } from './server-options.ts';

const LOGIN_EXAMPLES = `
The token is kept in ~/.yeeter/config.json (environment: YEETER_CONFIG_PATH), readable by you alone.
Exit code: 0 when signed in, 1 when the server cannot be reached, 2 for a wrong name or password.

Examples:
  $ yeeter login --api-url https://yeeter.example.org --username ada
  $ yeeter login --username ada --password-stdin < password.txt`;

const REGISTER_EXAMPLES = `
Examples:
  $ yeeter register --username ada --email ada@example.org
  $ yeeter register --username ada --email ada@example.org --password-stdin < password.txt`;

const KEY_EXAMPLES = `
Without --value the key is asked for, or read from standard input. YEETER_API_KEY in the environment wins over it.

Examples:
  $ yeeter api-key --value ytr_...
  $ yeeter api-key < key.txt
  $ yeeter api-key --clear`;

const KEYS_EXAMPLES = `
Examples:
  $ yeeter api-keys list
  $ yeeter api-keys create nightly --store
  $ yeeter api-keys delete 3`;

function withPassword(command: Command): Command {
  return command
    .option('-u, --username <name>', 'asked for when it is missing')
    .option(
      '--password <password>',
      'other users of this machine can see it: rather leave it out and be asked',
    )
    .option('--password-stdin', 'read the password from standard input', false);
}

export function addLoginCommands(program: Command): void {
  const signIn = withPassword(withServer(program.command('login')))
    .description('sign in to a server and keep the token')
    .addHelpText('after', LOGIN_EXAMPLES);
  signIn.action((flags) => login({ ...flags, ...serverFlags(signIn) }));

  const signUp = withPassword(withServer(program.command('register')))
    .description('make an account on a server; its first is an administrator')
    .option('--email <address>', 'asked for when it is missing')
    .addHelpText('after', REGISTER_EXAMPLES);
  signUp.action((flags) => register({ ...flags, ...serverFlags(signUp) }));

  const key = withServer(program.command('api-key'))
    .description('keep or remove an API key, for programs')
    .option('--value <key>', 'the key, as the server showed it')
    .option('--clear', 'remove it from this machine', false)
    .addHelpText('after', KEY_EXAMPLES);
  key.action((flags: { value?: string; clear: boolean }) => {
    if (flags.clear && flags.value !== undefined) {
      key.error('error: say either --value or --clear', { exitCode: 2 });
    }
    return flags.clear ? clearApiKey(serverFlags(key)) : storeApiKey({ ...flags, ...serverFlags(key) });
  });
}

export function addApiKeysCommand(program: Command): void {
  const keys = program.command('api-keys').description('your API keys on a server');
  const list = withFormat(withServer(keys.command('list')), OUTPUT_FORMATS)
    .description('show your keys, as far as the server still knows them')
    .action((flags) => listApiKeys({ ...flags, ...serverFlags(list) }));
  const create = withFormat(withServer(keys.command('create')), ['table', 'json'])
    .description('make a key; it is shown this once')
    .argument('<name>', 'what it is for')
    .option('--store', 'keep it on this machine in place of printing it', false)
    .action((name: string, flags) => createApiKey(name, { ...flags, ...serverFlags(create) }));
  const remove = withServer(keys.command('delete'))
    .description('make a key worthless')
    .argument('<id>', 'as "api-keys list" shows it', wholeNumber(1, 2 ** 53 - 1))
    .action((id: number) => deleteApiKey(id, serverFlags(remove)));
  addExamples(keys, KEYS_EXAMPLES);
}
