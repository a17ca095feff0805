// Better Auth's own check of the database that AUTH_DATABASE_URL names: what would it create or change?

import { createRequire } from "node:module";

const example = new URL("../../examples/todo_api/auth/auth.js", import.meta.url);
const { getMigrations } = await import(createRequire(example).resolve("better-auth/db/migration"));
const { options, pool } = await import(example);
const { organizations } = await import(new URL("organizations.js", example));

const { toBeCreated, toBeAdded, toBeAddedIndexes, unsafeChanges, schemaProblems, compileMigrations } =
  await getMigrations({ ...options, plugins: [...options.plugins, organizations] });
const plan = { toBeCreated, toBeAdded, toBeAddedIndexes, unsafeChanges, schemaProblems, sql: await compileMigrations() };
console.log(JSON.stringify(plan));
await pool.end();
