import type { ServerPort, SettingPatch } from '../server-port.ts';
import type { SqlQueries } from '../sql-executor.ts';
import type { ServerPartDeps } from './part.ts';

/* As text both ways: Drizzle would read a stored string of digits as a number. */
const GET = 'select value::text from settings where key = $1';
const GET_FOR_UPDATE = `${GET} for update`;
const PUT =
  'insert into settings (key, value) values ($1, $2::json) on conflict (key) do update set value = excluded.value';
/** Of several transactions at once, one gets a row back; the others wait for its end. */
export const INIT_SETTING =
  'insert into settings (key, value) values ($1, $2::json) on conflict (key) do nothing returning key';

type SettingMethods = 'getSetting' | 'putSetting' | 'initSetting' | 'mergeSetting';

/** Of a setting that is there, locked until the transaction ends. */
export async function settingForUpdate(tx: SqlQueries, key: string): Promise<unknown> {
  const [row] = await tx.query(GET_FOR_UPDATE, [key]);
  return JSON.parse(String(row![0]));
}

export async function writeSetting(tx: SqlQueries, key: string, value: unknown): Promise<void> {
  await tx.query(PUT, [key, JSON.stringify(value)]);
}

/** Within a transaction; the row is locked from its reading to its writing. */
export async function mergeInto(tx: SqlQueries, { key, patch }: SettingPatch): Promise<void> {
  await tx.query(INIT_SETTING, [key, '{}']);
  const before = (await settingForUpdate(tx, key)) as object;
  await writeSetting(tx, key, { ...before, ...patch });
}

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
      await write(INIT_SETTING, key, value);
      return await get(key);
    },
    mergeSetting: (key, patch) => database.change((_, tx) => mergeInto(tx, { key, patch })),
  };
}
