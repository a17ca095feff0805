"""One change that a test suite should notice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A defect to plant: the statements that plant it, the promise it breaks, and a test that would notice.

    ``undo`` takes back what concerns the whole server, such as a role's attribute; the rest goes with its database.
    """

    operator: str
    target: str
    ddl: tuple[str, ...]
    promise: str
    idea: str
    undo: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What ``--only`` and the list of accepted mutants name it by; the same in every run."""
        return f"{self.operator}: {self.target}"
