// What walks through Better Auth in this process, without a server; and how its steps are walked.

export const HERE = "http://127.0.0.1:3000";
export const PAGE = process.env.BETTER_AUTH_TRUSTED_ORIGINS;

/** What a browser does at this Better Auth: it keeps cookies, and names the page's origin. */
export const browsers = (auth) => class {
  cookies = new Map();

  async send(path, body) {
    const request = new Request(new URL(path.startsWith("/") ? `${HERE}/api/auth${path}` : path), {
      method: body ? "POST" : "GET",
      headers: {
        Origin: PAGE,
        "Content-Type": "application/json",
        Cookie: [...this.cookies].map((pair) => pair.join("=")).join("; "),
      },
      body: body && JSON.stringify(body),
    });
    const response = await auth.handler(request);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      this.cookies.set(name, value);
    }
    const text = await response.text();
    check(response.status < 400, `${path}: ${response.status} ${text}`);
    return response.status === 200 ? JSON.parse(text) : response.headers.get("location");
  }
};

export function check(condition, complaint) {
  if (!condition) throw new Error(complaint);
}

/** Walk every step; return the name of the first that breaks, or null. */
export async function walked(steps, broke) {
  for (const [name, step] of Object.entries(steps))
    try {
      await step();
    } catch (error) {
      broke(error);
      return name;
    }
  return null;
}
