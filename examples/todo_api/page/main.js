// What a person does here, and what is shown of it.

import { api, auth, leave, renew } from "./ask.js";
import { letGo, letIn, reachAsBob, reachAsYou } from "./beside.js";
import { list } from "./list.js";
import { on, whenWrong } from "./on.js";
import { forgetTeam, showTeam } from "./team.js";

const $ = (id) => document.getElementById(id);
let cursor = null; // where the next page of the list begins

/** Say what went wrong, and show what there is to show then. */
async function tell(error) {
  if (error.name === "AbortError") return; // who asked has left
  $("said").textContent = error.message;
  if (error.replaced) await showList().catch(tell);
  else if (error.status === 401 || $("list").hidden) showDoor();
}

whenWrong(tell);
const own = list("todos", $("todos"), $("none"), $("add"));

async function showMore() {
  const page = await api(`todos?limit=50${cursor ? `&after=${encodeURIComponent(cursor)}` : ""}`);
  own.append(page.items);
  cursor = page.next;
  $("more").hidden = cursor === null;
}

/** Forget who was here: their token, their list, and what they still wait for. */
function forget() {
  leave();
  cursor = null;
  letGo().catch(() => {}); // who leaves does not wait for it, and an account that is left over harms nobody
  $("done").textContent = "";
  own.clear();
  forgetTeam();
  $("list").hidden = $("beside").hidden = $("account").hidden = true;
}

async function showList() {
  forget();
  const me = await api("me");
  $("me").textContent = me.display_username ?? (me.name || me.email);
  await showMore();
  await showTeam(me);
  $("door").hidden = true;
  $("list").hidden = $("beside").hidden = $("account").hidden = false;
  $("add").elements.title.focus();
}

/** What the door is for: its button, its sentence, and where that leads. */
const DOORS = {
  in: { go: "Sign in", or: "No account yet?", other: "Sign up", leadsTo: "up" },
  up: { go: "Sign up", or: "You have an account?", other: "Sign in", leadsTo: "in" },
  forgot: { go: "Send me a link", or: "It came to your mind?", other: "Sign in", leadsTo: "in" },
  reset: { go: "Set this password", or: "It came to your mind?", other: "Sign in", leadsTo: "in" },
};
let door = "in";
let link = null; // what a mailed link has brought, to set a new password with

function showDoor(opened = door, told = "") {
  forget();
  door = opened;
  $("door").hidden = false;
  for (const part of document.querySelectorAll("[data-for]")) {
    part.hidden = !part.dataset.for.split(" ").includes(door);
    for (const input of part.querySelectorAll("input")) input.disabled = part.hidden; // a hidden one is not required
  }
  const { email, password } = $("enter").elements;
  $("who").textContent = door === "in" ? "E-mail or username" : "E-mail";
  email.type = door === "in" ? "text" : "email";
  password.autocomplete = door === "in" ? "current-password" : "new-password";
  $("go").textContent = DOORS[door].go;
  $("or").textContent = DOORS[door].or;
  $("other").textContent = DOORS[door].other;
  $("told").textContent = told;
  $("told").hidden = !told;
}

/** What is done with what stands in the form. */
const ENTER = {
  async in({ email, password }) {
    if (email.includes("@")) await auth("/sign-in/email", { email, password });
    else await auth("/sign-in/username", { username: email, password });
    await showList();
  },
  async up({ name, username, email, password }) {
    await auth("/sign-up/email", { name, email, password, ...(username && { username }) });
    await showList();
  },
  async forgot({ email }) {
    await auth("/request-password-reset", { email, redirectTo: location.origin });
    showDoor("in", "If somebody has signed up with it, a link is on its way. This example sends no mail: it prints it.");
  },
  async reset({ password }) {
    await auth("/reset-password", { newPassword: password, token: link });
    link = null;
    showDoor("in", "That is your password now. Sign in with it.");
  },
};

on($("other"), "click", () => showDoor(DOORS[door].leadsTo));
on($("forgot"), "click", () => showDoor("forgot"));
on($("enter"), "submit", async (form) => {
  await ENTER[door](Object.fromEntries(new FormData(form)));
  form.reset();
});
on($("leave"), "click", async () => {
  await auth("/sign-out", {});
  showDoor("in");
});
on($("let-in"), "click", letIn);
on($("as-you"), "click", reachAsYou);
on($("as-bob"), "click", reachAsBob);
on($("more"), "click", showMore);
on($("export"), "click", async () => {
  const file = new Blob([JSON.stringify(await api("me/export"), null, 2)], { type: "application/json" });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "todos.json" });
  link.click();
  URL.revokeObjectURL(link.href);
});
on($("delete"), "click", async () => {
  if (!confirm("Delete your account and all your todos? This cannot be undone.")) return;
  await renew(); // the account that goes is the cookie's
  await auth("/delete-user", {});
  showDoor();
});

const brought = new URLSearchParams(location.search);
history.replaceState(null, "", location.pathname); // what a link brings is nobody's to read from the address
if (brought.has("token")) {
  link = brought.get("token");
  showDoor("reset");
} else if (brought.has("error")) {
  showDoor("forgot", "That link does not count any more. Ask for another.");
} else if (await auth("/get-session").catch(tell)) await showList().catch(tell);
else showDoor();
