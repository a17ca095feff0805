"""Which mutants to try, and which of them may survive."""

import random
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from userscope.audit.baseline import Baseline
from userscope.audit.model import Finding
from userscope.errors import AuditError
from userscope.mutation.mutants import Mutant

_CORE = re.compile(
    r"\bapp_private\b|\bschema app(?:_fenced)?\b"
    r"|\bapp\.(?:current_user_id|current_user_key|seal_required|set_user_id|touch)\("
)
"""What the core is made of, as mutants' targets name it."""


def beside_core(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Return those of what a project made itself: what the core promises is tried by our tests, not by its."""
    return [mutant for mutant in mutants if not _CORE.search(mutant.target)]


def some(mutants: Sequence[Mutant], pattern: str, sample: int, seed: int) -> list[Mutant]:
    """Return those whose id contains ``pattern`` (``*`` for any text), and ``sample`` of these, if that is not 0.

    Raises AuditError where there are some, and none is named so.
    """
    matching = [mutant for mutant in mutants if fnmatchcase(mutant.id, f"*{pattern}*")]
    if not matching and (mutants or pattern != "*"):
        raise AuditError(f'no mutant has a name like "{pattern}"', hint="Their names: userscope mutate --list.")
    if 0 < sample < len(matching):
        return sorted(random.Random(seed).sample(matching, sample), key=mutants.index)  # noqa: S311  # no secret
    return matching


def accepted(path: Path, mutants: Sequence[Mutant]) -> tuple[dict[str, str], list[Finding]]:
    """Read which mutants may survive, each with the reason, and what is wrong with the entries.

    A ``.toml`` file is a baseline (``userscope.audit.baseline``), whose rules are operators and objects their targets;
    any other is a list, ``<id>  # <reason>`` a line. None where there is no such file. Raises ConfigurationError for
    what is no baseline, AuditError for a line without a reason, and for one that names no mutant.
    """
    if not path.exists():
        return {}, []
    if path.suffix != ".toml":
        return _listed(path, {mutant.id for mutant in mutants}), []
    operators = {mutant.operator for mutant in mutants}
    judged = Baseline.read(path).sort(mutants, lambda mutant: (mutant.operator, mutant.target, ""), known=operators)
    return {mutant.id: entry.reason for mutant, entry in judged.accepted}, judged.notes


def _listed(path: Path, known: set[str]) -> dict[str, str]:
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
