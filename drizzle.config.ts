import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: ['./src/storage/schema.ts', './src/storage/server-schema.ts'],
  out: './src/storage/migrations',
  casing: 'snake_case',
});
