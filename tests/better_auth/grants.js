// For each privilege of the journey read from stdin, {"journey", "privileges": [{"name", "revoke", "grant"}]}:
// which of its steps breaks without it?
// Prints {name: step or null}.

import { readFileSync } from "node:fs";

const given = JSON.parse(readFileSync(0, "utf8"));
const { admin, journey, pool } = await import(`./${given.journey}.js`);
const found = {};
let number = 0;
for (const { name, revoke, grant } of given.privileges) {
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
