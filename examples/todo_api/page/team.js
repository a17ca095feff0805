// A team's list beside one's own, who is in the team, and what one is invited to. Better Auth keeps teams and members.

import { api, auth, renew, teams } from "./ask.js";
import { list } from "./list.js";
import { on } from "./on.js";

const $ = (id) => document.getElementById(id);
const todos = list("team/todos", $("team-todos"), $("team-none"), $("team-add"));
let address = null; // one's own

export function forgetTeam() {
  todos.clear();
  $("team").hidden = true;
  $("invitations").replaceChildren();
  $("which").replaceChildren();
  $("mates").textContent = "";
}

/** Show the team that this browser is in, if any. */
export async function showTeam(me) {
  if (!teams) return;
  address = me.email;
  $("unverified").hidden = me.email_verified;
  await look();
  $("team").hidden = false;
}

async function look() {
  const team = await api("team").catch(async (error) => {
    if (error.status !== 403) throw error;
    await enter(null); // they are not in it any more
    return api("team");
  });
  const here = team.mine.find(({ organization_id }) => organization_id === team.id);
  const choices = team.mine.map(({ organization_id, name }) => new Option(name, organization_id));
  $("which").replaceChildren(new Option("None", ""), ...choices);
  $("which").value = team.id ?? "";
  $("choose").hidden = team.mine.length === 0;
  $("invitations").replaceChildren(...team.invitations.map(invitation));
  $("in-team").hidden = !here;
  $("invite").hidden = !/owner|admin/.test(here?.role);
  $("mates").textContent = team.mates.map(({ name, role }) => `${name} (${role})`).join(", ");
  todos.clear();
  if (here) todos.append(await api("team/todos"));
  return here;
}

/** Make this browser act in another team, or in none. */
async function enter(organizationId) {
  await auth("/organization/set-active", { organizationId });
  await renew(true);
}

/** Show the team that somebody has come to, and go on at its list. */
async function arrive(sentence, focused) {
  const here = await look();
  $("done").textContent = here ? `${sentence} This is the list of ${here.name}.`.trim() : sentence;
  (focused ?? $("team-add").elements.title).focus();
}

function invitation({ id, name, inviter }) {
  const li = document.createElement("li");
  const accept = Object.assign(document.createElement("button"), { textContent: "Accept" });
  accept.setAttribute("aria-label", `Accept the invitation to ${name}`);
  li.append(Object.assign(document.createElement("span"), { textContent: `${inviter} invites you to ${name}.` }), accept);
  on(accept, "click", async () => {
    await auth("/organization/accept-invitation", { invitationId: id });
    await renew(true);
    await arrive("Accepted.");
  });
  return li;
}

on($("which"), "change", async (which) => {
  await enter(which.value || null);
  await arrive(which.value ? "" : "You are in no team.", which);
});
on($("found"), "submit", async (form) => {
  const name = form.elements.name.value;
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const slug = [...words, crypto.randomUUID().slice(0, 8)].join("-").slice(-100).replace(/^-/, "");
  await auth("/organization/create", { name, slug });
  await renew(true);
  form.reset();
  await arrive("Made.");
});
on($("invite"), "submit", async (form) => {
  const { value } = form.elements.whom;
  await auth("/organization/invite-member", { email: value, role: "member" });
  form.reset();
  $("done").textContent = `Invited ${value}. This example sends no mail: it prints it.`;
});
on($("verify"), "click", async () => {
  await auth("/send-verification-email", { email: address, callbackURL: location.origin });
  $("done").textContent = "A link is on its way. This example sends no mail: it prints it.";
});
