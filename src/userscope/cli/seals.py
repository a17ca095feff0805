"""``userscope seal-key new | list | rotate | retire | require | relax``."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from userscope.cli._ask import confirmed
from userscope.cli._ledger import print_json
from userscope.cli._options import Json, admin
from userscope.errors import ConfigurationError

if TYPE_CHECKING:
    from userscope.postgres.url import ConnectionURL

_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, also at a terminal.")]


def new(*, as_json: Json = False) -> None:
    """Make a key and print it, this once. Its seals are accepted from now on, beside those of the other keys.

    Example: userscope seal-key new
    """
    from userscope.admin import seals

    key, created_at = seals.add(admin())
    if as_json:
        print_json({"id": key.id, "key": key.text(), "created_at": created_at.isoformat()})
        return
    print(key.text(), flush=True)
    print(
        "It is not shown again. Give it to every service as USERSCOPE_SEAL_KEY; "
        'then "userscope seal-key require", or retire the key it replaces.',
        file=sys.stderr,
    )


def list_keys(*, as_json: Json = False) -> None:
    """Tell which keys there are and whether a seal is required. Exit code 1 if no identity is accepted at all.

    Example: userscope seal-key list
    """
    from userscope.admin import seals

    sealing = seals.read(admin())
    if as_json:
        keys = [
            {
                "id": key.id,
                "created_at": key.created_at.isoformat(),
                "retired_at": key.retired_at.isoformat() if key.retired_at else None,
            }
            for key in sealing.keys
        ]
        print_json({"required": sealing.required, "keys": keys})
        raise typer.Exit(int(sealing.stuck))
    for key in sealing.keys:
        state = f"retired {key.retired_at:%Y-%m-%d %H:%M:%S%z}" if key.retired_at else "active"
        print(f"  {key.id:<32}  made {key.created_at:%Y-%m-%d %H:%M:%S%z}  {state}")
    said: dict[bool | None, str] = {
        True: "A seal is required.",
        False: "A seal is not required: an identity without one is accepted.",
    }
    print(said.get(sealing.required, "Whether a seal is required cannot be read: app_private.sealing has no row."))
    if sealing.stuck:
        # Of the two causes, a key that is missing and a row that is gone, each has a cure that opens nothing.
        cures = [] if sealing.active else ['"userscope seal-key new"']
        cures += ['"userscope seal-key require"'] if sealing.required is None else []
        print(f"No identity is accepted: run {', then '.join(cures)}.")
    raise typer.Exit(int(sealing.stuck))


def retire(key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")], *, yes: _Yes = False) -> None:
    """Accept the seals of one key no more, from this moment. The last active key stays while a seal is required.

    Example: userscope seal-key retire 3f9c21aa
    """
    from userscope.admin import seals

    _ask(f'Retire the key "{key_id}"? A service that still seals with it is refused, and it cannot come back.', yes=yes)
    print(f'The key "{key_id}" is retired since {seals.retire(admin(), key_id):%Y-%m-%d %H:%M:%S%z}.')


def require(*, yes: _Yes = False) -> None:
    """Refuse every identity without a seal, from this moment. Refused itself while there is no active key.

    Example: userscope seal-key require
    """
    from userscope.admin import seals

    url = admin()
    connected = seals.services(url)
    if connected:
        _warn("These logins are connected, and whoever of them does not seal is refused from now on:")
        for login, count in connected.items():
            _warn(f"  {login}  {count} connection{'' if count == 1 else 's'}")
        _warn('PostgreSQL counts no unsealed identities; "userscope health" in a service\'s environment tells whether.')
    _ask("Require a seal?", yes=yes)
    seals.require(url)
    print("A seal is required.")


def relax(*, yes: _Yes = False) -> None:
    """Accept identities without a seal again. One injected statement can then act for anybody.

    Example: userscope seal-key relax
    """
    from userscope.admin import seals

    _ask("Accept identities without a seal? One injected statement can then act for anybody.", yes=yes)
    seals.relax(admin())
    print("A seal is not required: an identity without one is accepted.")


def rotate() -> None:
    """Replace the active keys by a new one, step by step.

    It asks at a terminal, and waits. Exit code 1 if one of the keys before still counts then.

    Example: userscope seal-key rotate
    """
    from userscope.admin import seals

    if not sys.stdin.isatty():
        raise ConfigurationError(
            "a rotation waits for a person, and there is no terminal",
            hint='In a script: "userscope seal-key new", give it to every service, "userscope seal-key retire ID".',
        )
    url = admin()
    before = seals.read(url).active
    key, _ = seals.add(url)
    _warn("1. Give this key to every service as USERSCOPE_SEAL_KEY. It is not shown again:")
    print(key.text(), flush=True)
    _warn("   Its seals are accepted from now on, beside those of the keys before: no request is refused meanwhile.")
    if not before:
        _warn('2. There was no other. "userscope seal-key require" once every service seals.')
        return
    _warn("2. Restart every service, and let the last process with an older key end.")
    kept = [old.id for old in before if not _retired(url, old.id)]
    for key_id in kept:
        _warn(f'   The key "{key_id}" still counts: "userscope seal-key retire {key_id}" once it may go.')
    raise typer.Exit(int(bool(kept)))


def _retired(url: "ConnectionURL", key_id: str) -> bool:
    """Ask whether a key may go; let it go, or keep it."""
    from userscope.admin import seals

    connected = ", ".join(f"{login} ({count})" for login, count in seals.services(url).items())
    if connected:
        _warn(f"   Connected now, by whichever key: {connected}.")
    if not confirmed(f'3. Retire the key "{key_id}"? A service that still seals with it is refused.'):
        return False
    seals.retire(url, key_id)
    return True


def _ask(question: str, *, yes: bool) -> None:
    """Ask a person at a terminal; a script has said what it wants."""
    if not yes and sys.stdin.isatty() and not confirmed(question):
        raise typer.Exit(1)


def _warn(sentence: str) -> None:
    print(sentence, file=sys.stderr)


COMMANDS: dict[str, Callable[..., None]] = {
    "new": new,
    "list": list_keys,
    "rotate": rotate,
    "retire": retire,
    "require": require,
    "relax": relax,
}
