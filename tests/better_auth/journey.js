// A person's way through Better Auth, step by step, in this process: what test_grants.py takes privileges away from.
//
// The example's own options, with what it leaves to choice (changing an e-mail address, signing in by a provider,
// rotating keys) and a password hash that costs nothing.

import { createRequire } from "node:module";
import { browsers, check, HERE, PAGE, walked } from "./browser.js";

const example = new URL("../../examples/todo_api/auth/auth.js", import.meta.url);
const installed = createRequire(example);
const { betterAuth } = await import(installed.resolve("better-auth"));
const { genericOAuth, jwt } = await import(installed.resolve("better-auth/plugins"));
const { Pool } = installed("pg");
const { options, pool } = await import(example);

export { pool };
export const admin = new Pool({ connectionString: process.env.ADMIN_DATABASE_URL });

const PASSWORD = "correct horse";
const HOUR = 3_600_000;

/** The last link that was mailed to an address. */
const mailed = new Map();
const send = async ({ user, url }) => void mailed.set(user.email, new URL(url));

/** A provider of OAuth. The code it is shown is the person; each time it gives out new tokens. */
let count = 0;
const provider = genericOAuth({
  config: [
    {
      providerId: "provider",
      clientId: "client",
      authorizationUrl: "https://provider.invalid/authorize",
      tokenUrl: "https://provider.invalid/token",
      getToken: async ({ code }) => ({
        accessToken: `${code} ${++count}`,
        refreshToken: `refresh ${count}`,
        idToken: `id ${count}`,
        accessTokenExpiresAt: new Date(Date.now() + HOUR + count),
        refreshTokenExpiresAt: new Date(Date.now() + HOUR + count),
        scopes: [`scope${count}`],
      }),
      getUserInfo: async ({ accessToken }) => {
        const [id] = accessToken.split(" ");
        return { id, email: `${id}@provider.example`, name: "Pat", emailVerified: true };
      },
    },
  ],
});

const tokens = options.plugins.find((plugin) => plugin.id === "jwt").options;
const auth = betterAuth({
  ...options,
  baseURL: HERE,
  logger: { disabled: true },
  user: { ...options.user, changeEmail: { enabled: true, updateEmailWithoutVerification: true } },
  emailAndPassword: {
    ...options.emailAndPassword,
    sendResetPassword: send,
    password: { hash: async (password) => `hash of ${password}`, verify: async (v) => v.hash === `hash of ${v.password}` },
  },
  emailVerification: { sendVerificationEmail: send },
  plugins: [
    ...options.plugins.filter((plugin) => plugin.id !== "jwt"),
    jwt({ ...tokens, jwks: { rotationInterval: 3600 } }),
    provider,
  ],
});

const Browser = browsers(auth);

/** Run every step as a new person; return the name of the first that breaks, or null. */
export async function journey(number, broke = () => {}) {
  const email = `ann${number}@example.com`;
  const ann = new Browser();
  const phone = new Browser();
  const pat = new Browser();
  const session = async (browser) => (await browser.send("/get-session")) ?? check(false, "there is no session");

  async function byProvider(path = "/sign-in/social", wishes = {}) {
    const { url } = await pat.send(path, { provider: "provider", callbackURL: PAGE, ...wishes });
    const state = new URL(url).searchParams.get("state");
    const target = await pat.send(`/callback/provider?code=pat${number}&state=${encodeURIComponent(state)}`);
    check(target === PAGE, `sent to ${target}`);
  }

  const steps = {
    "make a key": async () => {
      await admin.query("delete from app.jwks");
      check((await ann.send("/jwks")).keys.length === 1, "there is no key");
    },
    "sign up": () =>
      ann.send("/sign-up/email", { name: "Ann", email, password: PASSWORD, username: `Ann_${number}`, image: "a.png" }),
    "get the session": () => session(ann),
    "get a token": () => ann.send("/token"),
    "update the user": () =>
      ann.send("/update-user", { name: "Anna", image: "b.png", username: `anna.${number}`, displayUsername: "Anna" }),
    "change the e-mail address": async () => {
      await ann.send("/change-email", { newEmail: `b${email}` });
      check((await session(ann)).user.email === `b${email}`, "it is the old address");
    },
    "verify the e-mail address": async () => {
      await ann.send("/send-verification-email", { email: `b${email}` });
      await ann.send(mailed.get(`b${email}`).href);
      check((await session(ann)).user.emailVerified, "it is not verified");
    },
    "sign in by e-mail": () => phone.send("/sign-in/email", { email: `b${email}`, password: PASSWORD }),
    "sign in by username": () => phone.send("/sign-in/username", { username: `anna.${number}`, password: PASSWORD }),
    "come back after two days": async () => {
      await admin.query("update app.sessions set expires_at = now() + interval '5 days'");
      const { session: found } = await session(ann);
      check(Date.parse(found.expiresAt) > Date.now() + 6 * 24 * HOUR, "the session was not renewed");
    },
    "list sessions": async () => check((await ann.send("/list-sessions")).length === 3, "there are not three"),
    "sign out everywhere else": async () => {
      await ann.send("/revoke-other-sessions", {});
      check((await ann.send("/list-sessions")).length === 1, "others are left");
    },
    "reset the password": async () => {
      await ann.send("/request-password-reset", { email: `b${email}` });
      const token = mailed.get(`b${email}`).pathname.split("/").pop();
      await ann.send("/reset-password", { newPassword: `${PASSWORD} 2`, token });
      await phone.send("/sign-in/email", { email: `b${email}`, password: `${PASSWORD} 2` });
    },
    "change the password": async () => {
      await ann.send("/change-password", { currentPassword: `${PASSWORD} 2`, newPassword: `${PASSWORD} 3` });
      await phone.send("/sign-in/email", { email: `b${email}`, password: `${PASSWORD} 3` });
    },
    "sign up by a provider": () => byProvider(),
    "sign in by a provider": () => byProvider(),
    "allow the provider more": () => byProvider("/link-social", { scopes: ["more"] }),
    "list ways to sign in": async () => check((await pat.send("/list-accounts")).length === 1, "there is not one"),
    "sign out": async () => {
      await phone.send("/sign-out", {});
      check((await phone.send("/get-session")) === null, "the session is still there");
    },
    "delete the account": async () => {
      await ann.send("/delete-user", { password: `${PASSWORD} 3` });
      check((await ann.send("/get-session")) === null, "the session is still there");
    },
  };
  return walked(steps, broke);
}
