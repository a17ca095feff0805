"""Small projects, written down for one test."""

from dataclasses import dataclass
from pathlib import Path

from userscope.migrations.projects import Project, load


@dataclass(frozen=True)
class Sketch:
    """A change with its scripts; None leaves the file out."""

    name: str
    deploy: str | None = None
    revert: str | None = None
    verify: str | None = None
    requires: str = ""

    @classmethod
    def table(cls, name: str, requires: str = "") -> "Sketch":
        """A change that makes a table of its own name, as one transaction."""
        return cls(
            name,
            f"begin;\ncreate table public.{name} (id integer);\ncommit;\n",
            f"begin;\ndrop table public.{name};\ncommit;\n",
            f"begin;\nselect id from public.{name} where false;\nrollback;\n",
            requires,
        )


def write(folder: Path, *changes: Sketch | str, name: str = "p", day: int = 1) -> Project:
    """Write a project and load it; a change that is a text such as "@v1" is a tag. ``day`` is when it was planned."""
    lines = [f"%project={name}", ""]
    for hour, change in enumerate(changes):
        label = (
            change if isinstance(change, str) else f"{change.name} {f'[{change.requires}]' if change.requires else ''}"
        )
        lines.append(f"{label} 2026-01-{day:02}T{hour:02}:00:00Z Ada Love <ada@example.com>")
        if isinstance(change, Sketch):
            for kind in ("deploy", "revert", "verify"):
                path = folder / kind / f"{change.name}.sql"
                path.parent.mkdir(parents=True, exist_ok=True)
                if (text := getattr(change, kind)) is not None:
                    path.write_text(text, encoding="utf-8")
    folder.mkdir(exist_ok=True)
    (folder / "sqitch.plan").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / "sqitch.conf").write_text("[core]\n\tengine = pg\n", encoding="utf-8")
    return load(folder)
