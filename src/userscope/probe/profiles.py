"""Profiles: what is known of a kind of database, and need not be found out."""

from dataclasses import dataclass

from userscope.identity import SealKey
from userscope.probe.catalog.model import Catalog
from userscope.probe.stage import Stage


@dataclass(frozen=True)
class Profile:
    """Schemas that are nobody's to act on, roles to act as, and functions that are known to be the identity's."""

    outside: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    vetted: frozenset[str] = frozenset()
    everything_owned: bool = False
    """Whether no table is there for everybody to read, whatever it is called."""


PROFILES = {
    "": Profile(),
    "supabase": Profile(roles=("anon", "authenticated")),
    "neon": Profile(outside=("neon", "neon_auth", "pgrst"), roles=("anonymous", "authenticated")),
    "postgrest": Profile(),
    "userscope": Profile(
        outside=("app_private",),
        roles=("app_user",),
        # They say who acts: with another's identity one is another, which a seal prevents (docs/sealing.md).
        vetted=frozenset({"app.set_user_id(text, text)", "app.set_organization_id(text)"}),
        everything_owned=True,
    ),
}

AUTOMATIC = "auto"

_KEY = SealKey("probe", bytes(32))
_EXPIRY = 4102444800.0
"""Seals of the copy are the same in every run: nothing else would take them."""


def chosen(name: str, catalog: Catalog) -> str:
    """Return the profile that is meant: ours where the database is one of ours."""
    if name != AUTOMATIC:
        return name
    ours = any(function.sql == "app.set_user_id" for function in catalog.functions)
    return "userscope" if ours else ""


def seal_key(stage: Stage) -> SealKey | None:
    """Return a key that the database takes seals of, where it asks for them; None where it does not."""
    required = stage.attempt("select required from app_private.sealing").rows
    if required != [(True,)]:
        return None
    inner, outer = _pads()
    stage.execute(
        "insert into app_private.seal_keys (id, inner_pad, outer_pad) "
        f"values ('{_KEY.id}', {inner}, {outer}) on conflict do nothing"
    )
    return _KEY


def forget_key(stage: Stage) -> None:
    """Take it out again: everybody knows it."""
    inner, _ = _pads()
    stage.attempt(f"delete from app_private.seal_keys where id = '{_KEY.id}' and inner_pad = {inner}")


def _pads() -> list[str]:
    return [f"'\\x{pad.hex()}'" for pad in _KEY.pads()]


def seal(key: SealKey | None, user_id: str) -> str:
    """Return a user's seal; '' without a key."""
    return key.seal(user_id, life=0, now=_EXPIRY) if key else ""
