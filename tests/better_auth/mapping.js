// What each of Better Auth's models and fields is called in the database: {model: [table, {field: column}]}.

import { createRequire } from "node:module";

const example = new URL("../../examples/todo_api/auth/auth.js", import.meta.url);
const { getAuthTables } = await import(createRequire(example).resolve("better-auth/db"));
const { options, pool } = await import(example);
const { organizations } = await import(new URL("organizations.js", example));

const columns = (fields) => Object.fromEntries(Object.entries(fields).map(([name, { fieldName }]) => [name, fieldName ?? name]));
const tables = Object.entries(getAuthTables({ ...options, plugins: [...options.plugins, organizations] })).map(([model, { modelName, fields }]) => [model, [modelName, columns(fields)]]);
console.log(JSON.stringify(Object.fromEntries(tables)));
await pool.end();
