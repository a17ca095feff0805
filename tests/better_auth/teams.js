// An organization's way through Better Auth, step by step, in this process: as journey.js, with the plugin for them.

import { createRequire } from "node:module";
import { browsers, check, HERE, walked } from "./browser.js";

const example = new URL("../../examples/todo_api/auth/auth.js", import.meta.url);
const installed = createRequire(example);
const { betterAuth } = await import(installed.resolve("better-auth"));
const { Pool } = installed("pg");
const { options, pool } = await import(example);
const { organizations } = await import(new URL("organizations.js", example));

export { pool };
export const admin = new Pool({ connectionString: process.env.ADMIN_DATABASE_URL });

const PASSWORD = "correct horse";
const DAY = 86_400_000;
/** Where people are when they have signed in: a hook of one's own, as Better Auth's manual has it. */
const homes = new Map();
const auth = betterAuth({
  ...options,
  baseURL: HERE,
  logger: { disabled: true },
  emailAndPassword: {
    ...options.emailAndPassword,
    password: { hash: async (password) => `hash of ${password}`, verify: async (v) => v.hash === `hash of ${v.password}` },
  },
  plugins: [...options.plugins, organizations],
  databaseHooks: {
    session: { create: { before: async (session) => ({ data: { ...session, activeOrganizationId: homes.get(session.userId) } }) } },
  },
});
const Browser = browsers(auth);

/** Run every step with a new organization; return the name of the first that breaks, or null. */
export async function journey(number, broke = () => {}) {
  const [ann, bob, carl] = [new Browser(), new Browser(), new Browser()];
  const address = (name) => `${name}${number}@example.com`;
  const slug = `acme-${number}`;
  let acme, beta, invitation;

  const active = async (browser) => {
    const { token } = await browser.send("/token");
    return JSON.parse(Buffer.from(token.split(".")[1], "base64url")).organization_id ?? null;
  };
  const invited = async (name, more) =>
    await ann.send("/organization/invite-member", { email: address(name), role: "member", organizationId: acme, ...more });
  const members = async () => (await ann.send(`/organization/list-members?organizationId=${acme}`)).members;
  const memberId = async (name) => (await members()).find(({ user }) => user.email === address(name)).id;

  const steps = {
    "sign up": async () => {
      await admin.query("delete from app.jwks"); // those of another secret
      for (const [name, browser] of Object.entries({ ann, bob, carl }))
        await browser.send("/sign-up/email", { name, email: address(name), password: PASSWORD });
      await admin.query("update app.users set email_verified = true where email = any ($1)", [["bob", "carl"].map(address)]);
    },
    "create an organization": async () => {
      acme = (await ann.send("/organization/create", { name: "Acme", slug, logo: "a.png", metadata: { plan: "free" } })).id;
      check((await active(ann)) === acme, "it is not the active one");
    },
    "list organizations": async () => check((await ann.send("/organization/list")).length === 1, "there is not one"),
    "change it": async () => {
      const data = { name: "Acme & Co", slug: `${slug}-co`, logo: "b.png", metadata: { plan: "paid" } };
      const changed = await ann.send("/organization/update", { organizationId: acme, data });
      check(changed.slug === `${slug}-co` && changed.metadata.plan === "paid", "it is as it was");
    },
    "invite": async () => (invitation = (await invited("bob")).id),
    "invite again": async () => {
      await admin.query("update app.invitations set expires_at = now() + interval '1 hour' where id = $1", [invitation]);
      await invited("bob", { resend: true });
      const { expiresAt } = await bob.send(`/organization/get-invitation?id=${invitation}`);
      check(Date.parse(expiresAt) > Date.now() + DAY, "it ends as it did");
    },
    "list invitations": async () => {
      check((await ann.send("/organization/list-invitations")).length === 1, "the owner sees not one");
      check((await bob.send("/organization/list-user-invitations")).length === 1, "the invited sees not one");
    },
    "accept": async () => {
      await bob.send("/organization/accept-invitation", { invitationId: invitation });
      check((await active(bob)) === acme, "they are not in it");
    },
    "reject": async () => {
      const { id } = await invited("carl");
      await carl.send("/organization/reject-invitation", { invitationId: id });
    },
    "take an invitation back": async () => {
      const { id } = await invited("carl");
      await ann.send("/organization/cancel-invitation", { invitationId: id });
    },
    "look at it whole": async () => {
      const found = await ann.send("/organization/get-full-organization");
      const [members, invitations] = [found.members.length, found.invitations.length];
      check(members === 2 && invitations === 3, `${members} members and ${invitations} invitations`);
    },
    "switch": async () => {
      beta = (await bob.send("/organization/create", { name: "Beta", slug: `beta-${number}` })).id;
      check((await active(bob)) === beta, "the new one is not the active one");
      await bob.send("/organization/set-active", { organizationId: acme });
      check((await active(bob)) === acme, "the other one is not the active one");
      await bob.send("/organization/set-active", { organizationId: null });
      check((await active(bob)) === null, "one is still active");
    },
    "change a role": async () => {
      await ann.send("/organization/update-member-role", { memberId: await memberId("bob"), role: ["member", "admin"] });
      await bob.send("/organization/set-active", { organizationId: acme });
      const { role } = await bob.send("/organization/get-active-member");
      check(role === "member,admin", `it is ${role}`);
    },
    "sign in to it": async () => {
      const phone = new Browser();
      homes.set((await bob.send("/get-session")).user.id, acme);
      await phone.send("/sign-in/email", { email: address("bob"), password: PASSWORD });
      check((await active(phone)) === acme, "they are somewhere else");
    },
    "remove a member": async () => {
      await ann.send("/organization/remove-member", { memberIdOrEmail: address("bob") });
      check((await members()).length === 1, "they are still in it");
    },
    "leave": async () => {
      const { id } = await invited("carl");
      await carl.send("/organization/accept-invitation", { invitationId: id });
      await carl.send("/organization/leave", { organizationId: acme });
      check((await active(carl)) === null && (await members()).length === 1, "they are still in it");
    },
    "delete it": async () => {
      await invited("carl");
      await ann.send("/organization/delete", { organizationId: acme });
      check((await ann.send("/organization/list")).length === 0, "it is still there");
    },
  };
  return walked(steps, broke);
}
