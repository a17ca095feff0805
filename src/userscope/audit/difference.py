"""What two reports differ in: before and after a migration, or of two databases."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from userscope.audit.model import Access, Finding, Report
from userscope.errors import ConfigurationError


@dataclass(frozen=True)
class Difference:
    """What may be done now and could not before, could be done before, and may be done otherwise; and findings."""

    gained: list[Access]
    lost: list[Access]
    changed: list[tuple[Access, Access]]
    new: list[Finding]
    gone: list[Finding]

    def __bool__(self) -> bool:
        return any((self.gained, self.lost, self.changed, self.new, self.gone))


def difference(before: Report, after: Report) -> Difference:
    """Compare two reports. What is accepted now is not gone."""
    old, now = _by(_access, before.matrix), _by(_access, after.matrix)
    found, told = _by(_finding, before.findings), _by(_finding, after.findings)
    accepted = {_finding(finding) for finding, _ in after.accepted or []}
    return Difference(
        gained=[access for key, access in now.items() if key not in old],
        lost=[access for key, access in old.items() if key not in now],
        changed=[(old[key], access) for key, access in now.items() if key in old and access != old[key]],
        new=[finding for key, finding in told.items() if key not in found],
        gone=[finding for key, finding in found.items() if key not in told and key not in accepted],
    )


def _access(access: Access) -> tuple[str, ...]:
    return access.role, access.object, access.command, access.policy or ""


def _finding(found: Finding) -> tuple[str, ...]:
    return found.rule, found.object, found.finding


def _by[T](key: Callable[[T], tuple[str, ...]], every: Iterable[T]) -> dict[tuple[str, ...], T]:
    return {key(one): one for one in every}


def read(path: Path) -> Report:
    """Read what ``userscope audit --json`` printed. Raises ConfigurationError where it is something else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        matrix = [Access(**access) for access in document["matrix"]]
        return Report(matrix, [Finding(**found) for found in document["findings"]], {})
    except OSError as error:
        raise ConfigurationError(f'cannot read "{path}": {(error.strerror or "").lower()}') from error
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(
            f'"{path}" is no report of "userscope audit --json"',
            hint=f"Write it anew: userscope audit --json > {path}",
        ) from error
