// Somebody else beside whoever is signed in: made up on the spot, with a session and a token of their own.

import { api, apiBeside, authBeside, subject } from "./ask.js";

const $ = (id) => document.getElementById(id);
let bob = null; // { jwt, session, row: { owner_id, todo_id } }

/** Make up Bob, who writes down one todo. He is an account like any other, and never has this browser's cookie. */
export async function letIn() {
  const email = `bob-${crypto.randomUUID()}@example.com`;
  const made = { name: "Bob", email, password: crypto.randomUUID() };
  const session = (await authBeside(null, "/sign-up/email", made)).token;
  const jwt = (await authBeside(session, "/token")).token;
  const todo = await apiBeside(jwt, "todos", "POST", { title: "Plan your surprise party" });
  bob = { jwt, session, row: { owner_id: subject(jwt), todo_id: todo.id } };
  $("bobs-title").textContent = todo.title;
  show(true);
  $("as-you").focus();
}

/** Forget Bob; his account is deleted, and his row with it. */
export async function letGo() {
  const gone = bob;
  bob = null;
  show(false);
  if (gone) await authBeside(gone.session, "/delete-user", {});
}

export const reachAsYou = async () => tell(await api("reach", "POST", bob.row), "You are not Bob: ");
export const reachAsBob = async () => tell(await apiBeside(bob.jwt, "reach", "POST", bob.row), "Bob, at his own row: ");

function show(here) {
  $("let-in").hidden = here;
  $("bob").hidden = !here;
  $("seen").textContent = "";
  $("answers").replaceChildren();
}

/** Show each statement and what PostgreSQL answered. */
function tell(attempts, who) {
  const lines = attempts.flatMap(({ statement, answer }) => {
    const asked = document.createElement("dt");
    asked.append(Object.assign(document.createElement("code"), { textContent: statement }));
    const answered = Object.assign(document.createElement("dd"), { textContent: answer });
    answered.className = answer === "1 row" ? "reached" : "kept";
    return [asked, answered];
  });
  const reached = attempts.filter(({ answer }) => answer === "1 row").length;
  $("seen").textContent = `${who}${reached} of ${attempts.length} statements reached it.`;
  $("answers").replaceChildren(...lines);
}
