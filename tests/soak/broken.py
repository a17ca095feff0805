"""Builds that are broken on purpose, to show that what checks would notice."""

import pytest

from userscope.connection.scope import Command, Scope


def bind_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bind an identity once a session, for the connection, and wipe nothing."""
    bound: list[Scope] = []  # kept, so that no two have the same id()

    def preamble(scope: Scope, *, distributed: bool = False) -> list[Command]:  # noqa: ARG001  # one node
        begin = [] if scope.autocommit else [Command(b"begin")]
        if any(scope is each for each in bound):
            return begin
        bound.append(scope)
        identity = scope._identity()
        if scope.user_id is None:
            return [*begin, identity]
        assert identity.values
        remember = b"select set_config('app.user_id', $1, false), set_config('app.user_seal', $2, false)"
        return [*begin, Command(remember, identity.values[2:4])]

    monkeypatch.setattr(Scope, "preamble", preamble)
