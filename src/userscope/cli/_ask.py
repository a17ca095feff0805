"""Questions to whoever runs a command."""

import typer

from userscope.errors import ConfigurationError


def confirmed(question: str) -> bool:
    """Ask for a yes or a no. Raises ConfigurationError where nobody answers."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        raise ConfigurationError("nobody answered", hint="Add --yes where nobody can be asked.") from None
