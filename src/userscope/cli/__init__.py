"""The command line, ``userscope …``: exit code 0 fine, 1 found something, 2 could not."""

import gc
import sys

from userscope.errors import MissingExtra, UserscopeError


def main() -> None:
    """Run one command; every refusal is printed in PostgreSQL's form, without a traceback."""
    gc.set_threshold(100_000)  # imports make next to no garbage, and looking for it took a tenth of the start
    try:
        try:
            from userscope.cli.app import app
        except ModuleNotFoundError as error:
            if error.name in ("typer", "rich", "click"):
                raise MissingExtra(error.name, "cli") from None
            raise
        app()
    except KeyboardInterrupt:
        print("\nERROR:  interrupted", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        refusal = error if isinstance(error, UserscopeError) else _answered(error)
        if refusal is None:
            raise
        print(f"ERROR:  {refusal}", file=sys.stderr)
        sys.exit(2)


def _answered(error: Exception) -> UserscopeError | None:
    """Word what PostgreSQL answered where the command itself has no better words; None for a defect of ours."""
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    from userscope.postgres.sqlstate import to_error

    return to_error(error, {})
