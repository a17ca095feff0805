// Requests to the service and to Better Auth, and in whose name they are made.

export const { auth_url, teams } = await (await fetch("config")).json();
let token = null; // in this page's memory alone; the cookie of the session is out of reach for scripts
let user = null; // whose token it is, and whose list is shown: another tab may give the cookie to somebody else
let team = null; // which team's list is shown: another tab may have switched
let visit = new AbortController(); // ends when they leave: an answer that comes later is not for who is here then

/** Send a request; what goes wrong becomes an error with a sentence to show. */
export async function send(url, options) {
  const { signal } = visit;
  let answer;
  try {
    answer = await fetch(url, { ...options, signal });
  } catch {
    signal.throwIfAborted();
    throw new Error("The server cannot be reached.");
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => null);
  signal.throwIfAborted();
  if (answer.ok) return body;
  // A problem of the service (RFC 9457), or what Better Auth says.
  const sentence = [body?.detail ?? body?.message ?? `The server answered ${answer.status}.`];
  for (const each of body?.errors ?? []) sentence.push(`${each.loc.at(-1)}: ${each.msg.replace("Value error, ", "")}`);
  throw Object.assign(new Error(sentence.join("\n")), { status: answer.status });
}

const json = (body) => ({ headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Add who asks to a request. */
const as = (bearer, method, body) => {
  const { headers, ...rest } = body ? json(body) : {};
  return { method, ...rest, headers: { ...headers, ...(bearer && { Authorization: `Bearer ${bearer}` }) } };
};

/** Ask Better Auth: the browser adds the session's cookie. */
export const auth = (path, body) =>
  send(`${auth_url}/api/auth${path}`, { credentials: "include", ...(body && { method: "POST", ...json(body) }) });

/** Ask Better Auth as somebody whose session this browser's cookie is not. */
export const authBeside = (session, path, body) =>
  send(`${auth_url}/api/auth${path}`, { credentials: "omit", ...as(session, body ? "POST" : "GET", body) });

const claims = (jwt) => JSON.parse(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));

/** Whose token it is: the claim "sub". */
export const subject = (jwt) => claims(jwt).sub;

/** Get a token, by the cookie. Nothing goes on in the name of somebody else than was here before, nor in another team. */
export async function renew(switched = false) {
  const fresh = (await auth("/token")).token;
  const { sub, organization_id = null } = claims(fresh);
  const stop = (sentence) => Object.assign(new Error(sentence), { replaced: true });
  if (user !== null && user !== sub)
    throw stop("Somebody else has signed in meanwhile: nothing was done, and this is their list.");
  if (user !== null && team !== organization_id && !switched)
    throw stop("You are in another team meanwhile: nothing was done, and this is its list.");
  [token, user, team] = [fresh, sub, organization_id];
}

/** Ask the service with this token. */
export const apiBeside = (jwt, path, method, body) => send(path, as(jwt, method, body));

/** Ask the service, with a token; a token lives for 15 minutes, so a refused one is replaced once. */
export async function api(path, method = "GET", body) {
  for (const again of [true, false]) {
    if (token === null) await renew();
    try {
      return await apiBeside(token, path, method, body);
    } catch (error) {
      if (error.status !== 401 || !again) throw error;
      token = null;
    }
  }
}

/** Forget who was here, and what they still wait for. */
export function leave() {
  visit.abort();
  visit = new AbortController();
  token = user = team = null;
}
