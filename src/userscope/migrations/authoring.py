"""Plans a change, a tag or a change's rework, with its scripts: byte for byte what Sqitch writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from userscope.migrations import templates
from userscope.migrations.config import committer
from userscope.migrations.files import save
from userscope.migrations.plan import writing
from userscope.migrations.plan.writing import Entry
from userscope.migrations.projects import KINDS, Project


@dataclass(frozen=True)
class Written:
    """What was planned, in the plan's words, and the files that were made, or are to be edited now."""

    what: str
    plan: Path
    files: Sequence[Path] = ()
    skipped: Sequence[Path] = ()
    """Scripts that were there already, and stay as they are."""


def add(project: Project, name: str, note: str, requires: Sequence[str] = (), conflicts: Sequence[str] = ()) -> Written:
    """Plan a change, with scripts of the project's templates. Raises PlanError or ConfigurationError."""
    entry = _entry(project, note, requires, conflicts)
    plan = writing.added(project.plan, name, entry)
    prefix = "add.variables."
    values = {
        **{key.removeprefix(prefix): value for key, value in project.config.items() if key.startswith(prefix)},
        "change": name,
        "engine": "pg",
        "project": project.name,
        "requires": list(requires),
        "conflicts": list(conflicts),
    }
    texts = {
        _script(project, kind, name): templates.render(text, values, where)
        for kind, (where, text) in templates.find(project).items()
    }
    skipped = [path for path in texts if path.exists()]
    new = {path: text for path, text in texts.items() if path not in skipped}
    save(new, {project.plan.path: plan})
    return Written(entry.content(name), project.plan.path, list(new), skipped)


def rework(
    project: Project, name: str, note: str, requires: Sequence[str] = (), conflicts: Sequence[str] = ()
) -> Written:
    """Plan a change once more: its scripts are kept under the last tag's name, and reverting is deploying those.

    Raises PlanError or ConfigurationError.
    """
    entry = _entry(project, note, requires, conflicts)
    plan, tag = writing.reworked(project.plan, name, entry)
    texts, changed = {}, {project.plan.path: plan}
    now = {kind: project.script(kind, name) for kind in KINDS}
    for kind, path in now.items():
        if path.exists():
            kept = project.layout.reworked(kind)[0] / f"{name}{tag}.{project.layout.extension}"
            texts[kept] = path.read_bytes()
    if now["deploy"].exists() and now["revert"].exists():
        changed[now["revert"]] = now["deploy"].read_bytes()
    save(texts, changed)
    content = writing.needing(entry, f"{name}{tag}").content(name)
    return Written(content, project.plan.path, [path for path in now.values() if path.exists()])


def tag(project: Project, name: str, note: str, change: str | None = None) -> Written:
    """Tag a change, the last one if none is named. Returns it with the change's name. Raises PlanError."""
    data, tagged = writing.tagged(project.plan, name, change, _entry(project, note))
    save({}, {project.plan.path: data})
    return Written(tagged, project.plan.path)


def _entry(project: Project, note: str, requires: Sequence[str] = (), conflicts: Sequence[str] = ()) -> Entry:
    person, email = committer(project.config)
    own = f"{project.name}:"
    return Entry(
        note,
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{person} <{email}>",
        [name.removeprefix(own) for name in requires],
        [name.removeprefix(own) for name in conflicts],
    )


def _script(project: Project, kind: str, name: str) -> Path:
    if kind in KINDS:
        return project.script(kind, name)
    layout = project.layout
    return project.folder / layout.setting("top_dir", ".") / kind / f"{name}.{layout.extension}"
