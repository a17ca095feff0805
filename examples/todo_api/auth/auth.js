// Better Auth on userscope's tables, which "userscope migrate" makes: it creates and changes nothing there.

import { betterAuth } from "better-auth";
import { jwt, username } from "better-auth/plugins";
import pg from "pg";

// A login of app_auth, as "userscope create-login" makes it: its search_path is our schema, app.
export const pool = new pg.Pool({ connectionString: process.env.AUTH_DATABASE_URL });
// PostgreSQL restarts, Neon sleeps: a connection that ends while nobody uses it must not end this process.
pool.on("error", (error) => console.error(`a database connection ended: ${error.message}`));

/** Better Auth's fields under the names of our columns: userId is user_id. */
export const columns = (...fields) =>
  Object.fromEntries(fields.map((field) => [field, field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]));

/** An example sends no mail, it prints it. */
export const mail = (subject) => async ({ user, url }) => console.log(JSON.stringify({ subject, to: user.email, url }));

export const options = {
  // Read from the environment: BETTER_AUTH_SECRET, BETTER_AUTH_URL, BETTER_AUTH_TRUSTED_ORIGINS.
  database: pool,
  // Ids are made by the columns' defaults. Better Auth's own are no uuids.
  advanced: { database: { generateId: "uuid" } },
  telemetry: { enabled: false },

  user: {
    modelName: "users",
    fields: columns("emailVerified", "createdAt", "updatedAt"),
    deleteUser: { enabled: true },
  },
  session: {
    modelName: "sessions",
    fields: columns("userId", "expiresAt", "ipAddress", "userAgent", "createdAt", "updatedAt"),
  },
  account: {
    modelName: "accounts",
    fields: columns(
      "userId", "accountId", "providerId", "accessToken", "refreshToken", "idToken",
      "accessTokenExpiresAt", "refreshTokenExpiresAt", "createdAt", "updatedAt",
    ),
  },
  verification: {
    modelName: "verifications",
    fields: columns("expiresAt", "createdAt", "updatedAt"),
  },

  emailAndPassword: { enabled: true, sendResetPassword: mail("Reset your password") },
  emailVerification: { sendVerificationEmail: mail("Verify your e-mail address") },

  plugins: [
    username({ schema: { user: { fields: columns("displayUsername") } } }),
    jwt({
      jwt: {
        issuer: process.env.AUTH_ISSUER,
        audience: process.env.AUTH_AUDIENCE,
        // Whose token it is ("sub") is all that a service needs; by default all that is known of the user goes along.
        // With organizations.js also the one that their browser is in.
        definePayload: ({ session }) => ({ organization_id: session.activeOrganizationId ?? undefined }),
      },
      schema: { jwks: { modelName: "jwks", fields: columns("publicKey", "privateKey", "createdAt", "expiresAt") } },
    }),
  ],
};

export const auth = betterAuth(options);
