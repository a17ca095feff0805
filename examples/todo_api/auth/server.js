// Serves Better Auth under /api/auth on 127.0.0.1, and prints one line of JSON when it is ready.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins";

const NEEDED = {
  AUTH_DATABASE_URL: 'the URL that "userscope create-login NAME --role app_auth" prints',
  AUTH_ISSUER: "what tokens name as their issuer",
  AUTH_AUDIENCE: "what tokens name as the service that they are for",
  BETTER_AUTH_SECRET: 'at least 32 characters of randomness, such as "openssl rand -base64 32" prints',
  BETTER_AUTH_TRUSTED_ORIGINS: "the page's origin, such as http://127.0.0.1:8000",
};

/** Say why this cannot go on, in PostgreSQL's form, and end. */
function refuse(message, hint) {
  console.error(`ERROR:  ${message}` + (hint ? `\nHINT:  ${hint}` : ""));
  process.exit(2);
}

for (const [variable, meaning] of Object.entries(NEEDED))
  if (!process.env[variable]) refuse(`${variable} is not set`, `Set it to ${meaning}.`);

// The port first: where no BETTER_AUTH_URL is set it decides what our own address is, and PORT=0 takes any that is free.
const server = createServer();
const port = process.env.PORT ?? 3000;
server.listen(port, "127.0.0.1");
await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject)).catch((error) =>
  refuse(`port ${port} cannot be used: ${error.code}`, "Set PORT to one that is free."),
);
process.env.BETTER_AUTH_URL ||= `http://127.0.0.1:${server.address().port}`;

// The page lets somebody in beside the one whose cookie the browser has: by a session that goes along as a header.
const { options, pool } = await import("./auth.js");
const { organizations } = await import("./organizations.js");
const auth = betterAuth({ ...options, plugins: [...options.plugins, organizations, bearer()] });
try {
  // The first key is made before the first request: of two that make it at once, each would make one.
  await auth.api.getJwks();
} catch (error) {
  refuse(`Better Auth cannot start: ${error.message}`, "Is the database there, and migrated?");
}

// The page is of another origin than this server (another port), so the browser asks whether it may read the answers.
const origins = process.env.BETTER_AUTH_TRUSTED_ORIGINS.split(",");
const handle = toNodeHandler(auth);
server.on("request", (request, response) => {
  response.setHeader("Vary", "Origin");
  if (origins.includes(request.headers.origin)) {
    response.setHeader("Access-Control-Allow-Origin", request.headers.origin);
    response.setHeader("Access-Control-Allow-Credentials", "true");
    response.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type");
  }
  if (request.method === "OPTIONS") response.writeHead(204).end();
  else handle(request, response);
});

async function stop() {
  if (!server.listening) return; // Ctrl-C reaches us twice: from the terminal, and from who started us
  server.close();
  server.closeAllConnections();
  await pool.end();
}
process.on("SIGINT", stop).on("SIGTERM", stop);

console.log(JSON.stringify({ ready: true, url: process.env.BETTER_AUTH_URL }));
