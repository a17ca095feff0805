// Better Auth's organization plugin on userscope's tables: add it to the plugins of auth.js.

import { APIError } from "better-auth/api";
import { organization } from "better-auth/plugins";
import { columns, mail } from "./auth.js";

const [page] = process.env.BETTER_AUTH_TRUSTED_ORIGINS.split(",");
const invite = mail("You are invited");

/** What the table would refuse as well, but that would be answered by 500. */
async function checkSlug({ organization: { slug } }) {
  if (slug === undefined || (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug) && slug.length <= 100)) return;
  throw new APIError("BAD_REQUEST", { message: "A slug is of a to z and 0 to 9, in groups with a hyphen between them." });
}

export const organizations = organization({
  organizationHooks: { beforeCreateOrganization: checkSlug, beforeUpdateOrganization: checkSlug },
  // Whoever signs up with somebody's address has not shown that it is theirs; app.my_invitations() asks for it as well.
  requireEmailVerificationOnInvitation: true,
  sendInvitationEmail: ({ id, email }) => invite({ user: { email }, url: `${page}/?invitation=${id}` }),
  schema: {
    organization: { modelName: "organizations", fields: columns("createdAt") },
    member: { modelName: "members", fields: columns("organizationId", "userId", "createdAt") },
    invitation: { modelName: "invitations", fields: columns("organizationId", "inviterId", "expiresAt", "createdAt") },
    session: { fields: columns("activeOrganizationId") },
  },
});
