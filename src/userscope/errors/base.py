"""What every error of userscope is."""

from typing import Any


class UserscopeError(Exception):
    """Base of all: ``message`` (short, lower case), ``detail`` and ``hint`` (full sentences, or None)."""

    def __init__(self, message: str, *, detail: str | None = None, hint: str | None = None) -> None:
        # Not super(): some are SQLAlchemy's as well, whose classes would be told of a statement and its values.
        Exception.__init__(self, message)
        self.message = message
        self.detail = detail
        self.hint = hint

    @property
    def summary(self) -> str:
        """Message and detail in one line, for a log."""
        return f"{self.message}: {self.detail}" if self.detail else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it travel between processes: as it is, whatever its class takes to be made."""
        return _revived, (type(self), self.args, vars(self))

    def __str__(self) -> str:
        lines = [self.message]
        if self.detail:
            lines.append(f"DETAIL:  {self.detail}")
        if self.hint:
            lines.append(f"HINT:  {self.hint}")
        return "\n".join(lines)


def _revived(kind: type[UserscopeError], args: tuple[object, ...], state: dict[str, Any]) -> UserscopeError:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error
