import type { ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';

/* As text both ways: Drizzle would read a stored string of digits as a number. */
const GET = 'select value::text from settings where key = $1';
const PUT =
  'insert into settings (key, value) values ($1, $2::json) on conflict (key) do update set value = excluded.value';
const INIT = 'insert into settings (key, value) values ($1, $2::json) on conflict (key) do nothing';

type SettingMethods = 'getSetting' | 'putSetting' | 'initSetting';

export function createSettings({ database }: ServerPartDeps): Pick<ServerPort, SettingMethods> {
  const get: ServerPort['getSetting'] = async (key) => {
    const [row] = await database.query((queries) => queries.query(GET, [key]));
    return row ? JSON.parse(String(row[0])) : null;
  };
  const write = (statement: string, key: string, value: unknown): Promise<unknown> =>
    database.query((queries) => queries.query(statement, [key, JSON.stringify(value ?? null)]));
  return {
    getSetting: get,
    putSetting: async (key, value) => {
      await write(PUT, key, value);
    },
    initSetting: async (key, value) => {
      await write(INIT, key, value);
      return await get(key);
    },
  };
}
