"""What sqitch.conf says of one project: where its files lie, what they are called, and what a target changes of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from userscope.migrations.config import boolean


@dataclass(frozen=True)
class Layout:
    """A project's folder and configuration; ``named`` is the target that a command was given, if any."""

    folder: Path
    config: Mapping[str, str] = field(repr=False)
    named: str | None = None

    @property
    def target(self) -> str:
        """The target that Sqitch would take: named, or the default one; empty where there is none."""
        return self._chosen or self.config.get("engine.pg.target") or ""

    @property
    def _chosen(self) -> str | None:
        """The target that is taken whatever the engine is."""
        return self.named or os.environ.get("SQITCH_TARGET") or self.config.get("core.target")

    @property
    def engine(self) -> str:
        """The engine that Sqitch would take where no target says one: of a target its URI does."""
        return "pg" if self._chosen else self.config.get("core.engine") or "pg"

    def setting(self, key: str, default: str = "") -> str:
        """Return what the target, else the engine, else ``[core]`` says."""
        sections = (f"target.{self.target}", "engine.pg", "core")
        return next(filter(None, (self.config.get(f"{section}.{key}") for section in sections)), default)

    @property
    def registry(self) -> str:
        """The schema of the registry."""
        return self.setting("registry", "sqitch")

    @property
    def plan_file(self) -> Path:
        """Where the plan lies."""
        return self.folder / self.setting("plan_file", f"{self.setting('top_dir', '.')}/sqitch.plan")

    @property
    def extension(self) -> str:
        """What scripts end in, without the dot."""
        return self.setting("extension", "sql")

    def verifies(self, *, default: bool) -> bool:
        """Whether changes are verified when they are deployed: what ``[deploy] verify`` says."""
        return boolean(self.config, "deploy.verify", default=default)

    def variables(self, command: str) -> dict[str, str]:
        """Return the psql variables of ``deploy``, ``revert`` or ``verify``, as Sqitch puts them together."""
        own = () if command == "deploy" else (command,)
        found: dict[str, str] = {}
        for section in ("core", "deploy", *own, "engine.pg", f"target.{self.target}"):
            prefix = f"{section}.variables."
            found |= {key.removeprefix(prefix): value for key, value in self.config.items() if key.startswith(prefix)}
        return found

    def directory(self, kind: str) -> Path:
        """Return the folder of ``deploy``, ``revert`` or ``verify`` scripts."""
        return self.folder / self.setting(f"{kind}_dir", f"{self.setting('top_dir', '.')}/{kind}")

    def reworked(self, kind: str) -> list[Path]:
        """Return the folders where old instances of reworked changes may lie: Sqitch 1.5.2 moved them."""
        if explicit := self.setting(f"reworked_{kind}_dir"):
            return [self.folder / explicit]
        if base := self.setting("reworked_dir"):
            return [self.folder / base / kind]
        top = self.folder / self.setting("top_dir", ".") / kind
        own = self.directory(kind)
        return [top] if own.resolve() == top.resolve() else [top, own]
