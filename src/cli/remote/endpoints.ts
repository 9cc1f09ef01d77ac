import { z } from 'zod';
import { ENDPOINT_TYPES } from '../../domain/endpoint.ts';
import type { TargetAddress } from '../address.ts';
import { ANYTHING } from './answers.ts';
import type { ApiClient } from './http.ts';
import { idOf } from './named.ts';
import { type OutputFormat, printJson, printListing, say } from './output.ts';
import { printable } from './printable.ts';
import { openClient, type ServerFlags } from './session.ts';

const ENDPOINT = z.looseObject({
  id: z.int(),
  name: z.string(),
  endpoint_type: z.enum(ENDPOINT_TYPES),
  hostname: z.string(),
  port: z.int(),
  ae_title: z.string().nullish(),
  aet_title: z.string().nullish(),
});
export type EndpointAnswer = z.output<typeof ENDPOINT>;

const PATH = '/api/endpoints';

export function readEndpoints(client: ApiClient): Promise<EndpointAnswer[]> {
  return client.json(z.array(ENDPOINT), { path: PATH });
}

export function createEndpoint(client: ApiClient, body: Omit<EndpointAnswer, 'id'>): Promise<EndpointAnswer> {
  return client.json(ENDPOINT, { method: 'POST', path: PATH, body });
}

export async function listEndpoints(flags: ServerFlags & { format: OutputFormat }): Promise<void> {
  const endpoints = await readEndpoints(await openClient(flags));
  const columns = ['name', 'id', 'endpoint_type', 'hostname', 'port', 'ae_title', 'aet_title'];
  const empty = 'there are no endpoints: make one with "yeeter endpoints create"';
  await printListing({ raw: endpoints, rows: endpoints, columns, empty }, flags.format);
}

/** An AE title makes it a DICOM one. */
export async function addEndpoint(
  name: string,
  { aeTitle, host, port }: TargetAddress,
  flags: ServerFlags & { format: 'table' | 'json'; calling?: string },
): Promise<void> {
  const client = await openClient(flags);
  const endpoint = await createEndpoint(client, {
    name,
    endpoint_type: aeTitle === null ? 'MLLP' : 'DICOM_SCP',
    hostname: host,
    port,
    ae_title: aeTitle,
    aet_title: flags.calling ?? null,
  });
  if (flags.format === 'json') return printJson(endpoint);
  say(`endpoint ${endpoint.id} is created: ${printable(endpoint.name)}, ${endpoint.endpoint_type}`);
}

export async function deleteEndpoint(named: string, flags: ServerFlags): Promise<void> {
  const client = await openClient(flags);
  const id = await idOf(named, 'endpoint', () => readEndpoints(client));
  await client.json(ANYTHING, { method: 'DELETE', path: `${PATH}/${id}` });
  say(`endpoint ${id} is deleted`);
}
