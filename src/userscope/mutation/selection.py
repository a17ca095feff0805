"""Which mutants to try, and which of them may survive."""

import random
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from userscope.errors import AuditError
from userscope.mutation.mutants import Mutant


def some(mutants: Sequence[Mutant], pattern: str, sample: int, seed: int) -> list[Mutant]:
    """Return those whose id contains ``pattern`` (``*`` for any text), and ``sample`` of these, if that is not 0."""
    matching = [mutant for mutant in mutants if fnmatchcase(mutant.id, f"*{pattern}*")]
    if not matching:
        raise AuditError(f'no mutant has a name like "{pattern}"', hint="Their names: userscope mutate --list.")
    if 0 < sample < len(matching):
        return sorted(random.Random(seed).sample(matching, sample), key=mutants.index)  # noqa: S311  # no secret
    return matching


def accepted(path: Path, mutants: Sequence[Mutant]) -> dict[str, str]:
    """Read the list of mutants that may survive, ``<id>  # <reason>`` a line; none where there is no such file.

    Raises AuditError for a line without a reason, and for one that names no mutant.
    """
    if not path.exists():
        return {}
    known = {mutant.id for mutant in mutants}
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = (part.strip() for part in line.partition("  #"))
        if not reason:
            raise AuditError(
                f"{path}, line {number}: no reason is given", hint="Write: <mutant>  # <why it may survive>"
            )
        if name not in known:
            raise AuditError(f'{path}, line {number}: there is no mutant "{name}"', hint="Remove the line, or mend it.")
        found[name] = reason
    return found
