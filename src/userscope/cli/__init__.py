"""The command line, ``userscope …``: exit code 0 fine, 1 found something, 2 could not."""

import gc
import os
import sys
from contextlib import suppress

from userscope.cli import _paint
from userscope.errors import MissingExtra, UserscopeError

_INTERRUPTED = 130


def main() -> None:
    """Run one command; every refusal is printed in PostgreSQL's form, without a traceback."""
    gc.set_threshold(100_000)  # imports make next to no garbage, and looking for it took a tenth of the start
    try:
        code = _run()
        sys.stdout.flush()
        if code == _INTERRUPTED:  # Typer says nothing
            _tell("interrupted", before="\n")
    except KeyboardInterrupt:
        _tell("interrupted", before="\n")
        code = _INTERRUPTED
    except SystemExit as ended:
        if not _unwritten(ended.__context__):
            raise
        code = _not_written(ended.__context__)  # Typer ends so where a pipe was closed
    except OSError as error:
        if _unwritten(error):
            code = _not_written(error)
        else:
            _tell(f'cannot use "{error.filename}"\nDETAIL:  {error.strerror}.' if error.filename else str(error))
            code = 2
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        _tell(refusal)
        code = _INTERRUPTED if refusal == "interrupted" else getattr(refusal, "exit_code", 2)
    sys.exit(code)


def _run() -> int:
    try:
        from userscope.cli.app import app
    except ModuleNotFoundError as error:
        if error.name in ("typer", "rich", "click"):
            raise MissingExtra(error.name, "cli") from None
        raise
    return app(prog_name="userscope", standalone_mode=False) or 0


def _tell(text: object, *, before: str = "") -> None:
    with suppress(OSError):  # nobody listens
        print(f"{before}{_paint.painted('ERROR:', 'red', sys.stderr)}  {text}", file=sys.stderr, flush=True)


def _unwritten(error: BaseException | None) -> bool:
    """Whether it was what we print that could not be written: only then no file is named."""
    return isinstance(error, OSError) and error.filename is None and error.errno is not None


def _not_written(error: BaseException | None) -> int:
    _tell(
        f"what was to be printed could not be written\nDETAIL:  {getattr(error, 'strerror', None)}.\n"
        "HINT:  What the command did stays done. Free some space, or let the program behind the pipe read to the end."
    )
    # What is still in Python's buffer would fail again, with a traceback.
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2


def _refusal(error: Exception) -> object | None:
    """Return what to say of an error; None for a defect of ours."""
    if isinstance(error, UserscopeError):
        return error
    if hasattr(error, "format_message"):  # Typer's, whose classes are private
        from userscope.cli import _usage

        return _usage.worded(error)
    if type(error).__name__ == "Abort":
        return "interrupted"
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    from userscope.postgres.sqlstate import to_error

    return to_error(error, {})
