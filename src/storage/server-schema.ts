import type { EndpointType } from '../domain/endpoint.ts';
import { bigserial, boolean, index, integer, json, pgTable, text, uniqueIndex } from './drizzle.ts';
import { count, maybe } from './schema-columns.ts';

/*
 * What the server keeps beside the ledger. What clients sent comes back as they sent it, so it is json and not jsonb,
 * which would sort its keys.
 */

const id = () => bigserial({ mode: 'number' }).primaryKey();
const object = () => json().$type<Readonly<Record<string, unknown>>>();

/** The keys are name and address without their case: what lower case is must not depend on the database's locale. */
export const users = pgTable(
  'users',
  {
    id: id(),
    username: text().notNull(),
    usernameKey: text().notNull(),
    email: text().notNull(),
    emailKey: text().notNull(),
    passwordHash: text().notNull(),
    isAdmin: boolean().notNull(),
    createdAtMs: count(),
  },
  (table) => [
    uniqueIndex('users_by_username').on(table.usernameKey),
    uniqueIndex('users_by_email').on(table.emailKey),
  ],
);

export const apiKeys = pgTable(
  'api_keys',
  {
    id: id(),
    userId: count(),
    name: text().notNull(),
    prefix: text().notNull(),
    digest: text().notNull(),
    isActive: boolean().notNull().default(true),
    createdAtMs: count(),
    lastUsedAtMs: maybe(),
  },
  (table) => [uniqueIndex('api_keys_by_digest').on(table.digest), index('api_keys_of_user').on(table.userId)],
);

export const generators = pgTable('generators', {
  id: id(),
  userId: count(),
  name: text().notNull(),
  messageType: text().notNull(),
  content: text().notNull(),
  createdAtMs: count(),
});

export const simTemplates = pgTable(
  'sim_templates',
  {
    id: id(),
    userId: count(),
    name: text().notNull(),
    description: text(),
    settings: object().notNull(),
    createdAtMs: count(),
  },
  (table) => [index('sim_templates_of_user').on(table.userId)],
);

export const templateSteps = pgTable(
  'template_steps',
  {
    id: id(),
    templateId: count().references(() => simTemplates.id, { onDelete: 'cascade' }),
    stepOrder: integer().notNull(),
    stepType: text().notNull(),
    parameters: object().notNull(),
    execution: text(),
    queue: text(),
    jobType: text(),
    retry: object(),
    metadata: object(),
  },
  (table) => [index('template_steps_in_order').on(table.templateId, table.stepOrder)],
);

export const endpoints = pgTable('endpoints', {
  id: id(),
  userId: count(),
  name: text().notNull(),
  endpointType: text().$type<EndpointType>().notNull(),
  hostname: text().notNull(),
  port: integer().notNull(),
  aeTitle: text(),
  callingAeTitle: text(),
});

export const settings = pgTable('settings', {
  key: text().primaryKey(),
  value: json().notNull(),
});

export const scalingDecisions = pgTable(
  'scaling_decisions',
  {
    id: id(),
    atMs: count(),
    action: text().notNull(),
    actor: text().notNull(),
    reason: text(),
    queueDepth: maybe(),
    currentReplicas: integer(),
    targetReplicas: integer().notNull(),
    applied: boolean().notNull(),
    error: text(),
    expiresAtMs: maybe(),
  },
  (table) => [index('scaling_decisions_by_time').on(table.atMs)],
);

export const auditLog = pgTable('audit_log', {
  id: id(),
  atMs: count(),
  userId: maybe(),
  username: text(),
  action: text().notNull(),
  object: text().notNull(),
  details: object().notNull(),
  address: text(),
});

export const listenerMessages = pgTable('listener_messages', {
  id: id(),
  receivedAtMs: count(),
  messageType: text(),
  controlId: text(),
  sendingApp: text(),
  rawMessage: text().notNull(),
});
