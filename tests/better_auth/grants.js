// For each privilege read from stdin, [{"name", "revoke", "grant"}]: which step of the journey breaks without it?
// Prints {name: step or null}.

import { readFileSync } from "node:fs";
import { admin, journey, pool } from "./journey.js";

const found = {};
let number = 0;
for (const { name, revoke, grant } of JSON.parse(readFileSync(0, "utf8"))) {
  await admin.query(revoke);
  try {
    found[name] = await journey(++number);
  } finally {
    await admin.query(grant);
  }
}
const whole = await journey(++number, (error) => console.error(error));
if (whole) throw new Error(`with every privilege: ${whole}`);
console.log(JSON.stringify(found));
await Promise.all([admin.end(), pool.end()]);
