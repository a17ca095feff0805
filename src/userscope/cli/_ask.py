"""Questions to whoever runs a command."""

import signal

import typer

from userscope.errors import ConfigurationError


def confirmed(question: str) -> bool:
    """Ask for a yes or a no. Raises ConfigurationError where nobody answers, KeyboardInterrupt for a signal to stop."""
    # Whatever a signal does to what is under way, it ends a question at once.
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return typer.confirm(question, err=True)
    except typer.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):
            typer.echo(err=True)
            raise KeyboardInterrupt from None
        raise ConfigurationError("nobody answered", hint="Add --yes where nobody can be asked.") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
