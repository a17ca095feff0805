"""What is said of a command line that cannot be understood: what is wrong, what was meant, where it is told."""

import re
import sys
from typing import Any


def worded(error: Any) -> str:
    """Return Typer's complaint in PostgreSQL's form. Ends with the help where nothing at all was given."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        sys.exit(2)
    command = error.ctx.command_path if getattr(error, "ctx", None) else "userscope"
    said, meant = _parts(error)
    return f'{said}\nHINT:  {meant}"{command} --help" tells what there is.'


def _parts(error: Any) -> tuple[str, str]:
    """Return what is wrong, and the sentence about what may be meant."""
    if name := getattr(error, "option_name", None):
        near = sorted(getattr(error, "possibilities", None) or ())
        if near or str(error.format_message()).startswith("No such"):
            return f'there is no option "{name}"', f"Did you mean {' or '.join(near)}? " if near else ""
    said, _, meant = error.format_message().partition(". Did you mean ")
    if unknown := re.fullmatch(r"No such command '(.*)'\.?", said, re.DOTALL):
        meant = meant.partition("?")[0].replace("'", '"')  # Typer and Click may both have asked
        return f'there is no command "{unknown[1]}"', f"Did you mean {meant}? " if meant else ""
    said = said.replace("'", '"').replace("Value error, ", "").rstrip(".")
    return f"{said[:1].lower()}{said[1:]}", ""
