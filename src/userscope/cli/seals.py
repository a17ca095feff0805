"""``userscope seal-key new | list | retire | require | relax``."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from userscope.cli._ask import confirmed
from userscope.cli._ledger import print_json
from userscope.cli._options import Json, admin

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
    stuck = sealing.required is None or (sealing.required and not sealing.active)
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
        raise typer.Exit(int(stuck))
    for key in sealing.keys:
        state = f"retired {key.retired_at:%Y-%m-%d %H:%M:%S%z}" if key.retired_at else "active"
        print(f"  {key.id:<32}  made {key.created_at:%Y-%m-%d %H:%M:%S%z}  {state}")
    said: dict[bool | None, str] = {
        True: "A seal is required.",
        False: "A seal is not required: an identity without one is accepted.",
    }
    print(said.get(sealing.required, "Whether a seal is required cannot be read: app_private.sealing has no row."))
    if stuck:
        # Of the two causes, a key that is missing and a row that is gone, each has a cure that opens nothing.
        cures = [] if any(not key.retired_at for key in sealing.keys) else ['"userscope seal-key new"']
        cures += ['"userscope seal-key require"'] if sealing.required is None else []
        print(f"No identity is accepted: run {', then '.join(cures)}.")
    raise typer.Exit(int(stuck))


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


def _ask(question: str, *, yes: bool) -> None:
    """Ask a person at a terminal; a script has said what it wants."""
    if not yes and sys.stdin.isatty() and not confirmed(question):
        raise typer.Exit(1)


def _warn(sentence: str) -> None:
    print(sentence, file=sys.stderr)


COMMANDS: dict[str, Callable[..., None]] = {
    "new": new,
    "list": list_keys,
    "retire": retire,
    "require": require,
    "relax": relax,
}
