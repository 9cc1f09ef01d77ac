/*
 * Drizzle by its CommonJS files. For every ES module Node reads the whole `exports` of the package it is in, and
 * Drizzle has a hundred modules and 170 kB of those: importing them takes seven times as long as this, which every
 * process would wait for at its start.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const orm: typeof import('drizzle-orm') = require('drizzle-orm');
const columns: typeof import('drizzle-orm/pg-core') = require('drizzle-orm/pg-core');
const proxy: typeof import('drizzle-orm/pg-proxy') = require('drizzle-orm/pg-proxy');
const migrator: typeof import('drizzle-orm/migrator') = require('drizzle-orm/migrator');

export type { SQL } from 'drizzle-orm';
export const { and, asc, count, desc, DrizzleQueryError, eq, exists, gt, gte } = orm;
export const { ilike, inArray, isNull, lt, lte, ne, or, sql } = orm;
export const { bigint, bigserial, bit, boolean, doublePrecision, index, integer, json, numeric } = columns;
export const { pgTable, primaryKey, text, uniqueIndex, uuid } = columns;
export const { drizzle } = proxy;
export const { readMigrationFiles } = migrator;
