"""What a platform brings: its roles, how it says who acts, and what is its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from userscope.audit.names import SUPABASE


@dataclass(frozen=True)
class Profile:
    """A platform. ``strict``: policies are tied to the identity, or reported.

    ``functions`` say who acts: by full name, what of them ("uid", "role", "jwt"). ``own`` schemas are the platform's;
    of ``stores`` the platform owns the tables, and policies are the project's.
    """

    name: str
    services: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    functions: Mapping[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    makers: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    strict: bool = False
    web: bool = False

    @property
    def brought(self) -> frozenset[str]:
        """The schemas whose tables and functions are the platform's."""
        return self.own | self.stores

    def identity(self, names: Sequence[str]) -> str | None:
        """What of the identity a function says, None where it says nothing of it."""
        return self.functions.get(".".join(names))

    def plain(self, names: Sequence[str]) -> bool:
        """Whether a function is the platform's and computes from its arguments alone."""
        return len(names) > 1 and names[-2] in self.brought

    def setting(self, name: str) -> str:
        """What of the identity a setting says."""
        if name in ("request.jwt.claims", "jwt.claims"):
            return "jwt"
        for prefix in ("request.jwt.claim.", "jwt.claims.", "request.jwt.claims."):
            if name.startswith(prefix):
                return f"jwt.{name.removeprefix(prefix)}"
        return f"setting {name}"


_OWN = frozenset((*SUPABASE, "auth", "pgsodium_masks", "pgmq", "_analytics", "tests", "basejump_tests", "dbdev"))

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "userscope",
            services=("app_user",),
            providers=("app_auth",),
            functions={
                "app.current_user_id": "uid",
                "app.current_user_key": "uid",
                "app.current_organization_id": "organization",
            },
            strict=True,
        ),
        Profile(
            "supabase",
            services=("anon", "authenticated"),
            above=("service_role", "supabase_admin", "supabase_auth_admin", "supabase_storage_admin", "dashboard_user"),
            functions={
                "auth.uid": "uid",
                "auth.user_id": "uid",
                "auth.email": "jwt.email",
                "auth.role": "jwt.role",
                "auth.jwt": "jwt",
            },
            own=_OWN,
            stores=frozenset({"storage"}),
            makers=frozenset({"postgres", "supabase_admin"}),
            web=True,
        ),
        Profile(
            "neon",
            services=("anonymous", "authenticated"),
            above=("neon_superuser", "cloud_admin"),
            functions={"auth.user_id": "uid", "auth.uid": "uid", "auth.session": "jwt", "auth.jwt": "jwt"},
            own=frozenset({"auth", "neon", "neon_auth", "pgrst"}),
            makers=frozenset({"cloud_admin", "neondb_owner"}),
            web=True,
        ),
        Profile("postgrest", above=("authenticator", "service_role"), web=True),
    )
}


def chosen(name: str | None, asked: Mapping[str, Any]) -> Profile:
    """The profile of that name, or the one that the database looks like, with what the database was told to audit."""
    if name is None:
        name = next((looks for looks in ("userscope", "supabase", "neon") if asked[looks]), "postgrest")
    profile = PROFILES[name]
    functions = dict(profile.functions)
    for entry in _listed(asked["identity"]):
        if entry.endswith("()"):
            functions.setdefault(entry.removesuffix("()"), "uid")
    return replace(
        profile,
        services=tuple(_listed(asked["services"])) or profile.services,
        providers=tuple(_listed(asked["providers"])) or profile.providers,
        functions=functions,
        own=profile.own - set(_listed(asked["schemas"])),
        accepted=frozenset(_listed(asked["accepted"])),
    )


def _listed(text: str | None) -> list[str]:
    """A setting's list, as PostgreSQL's array notation writes it."""
    found, word, inside, escaped = [], "", False, False
    for letter in text or "":
        if escaped:
            word, escaped = word + letter, False
        elif letter == "\\":
            escaped = True
        elif letter == '"':
            inside = not inside
        elif letter == "," and not inside:
            found.append(word.strip())
            word = ""
        else:
            word += letter
    return [word for word in [*found, word.strip()] if word and word != "none"]
