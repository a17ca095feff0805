"""Sqitch's templates of scripts: where they lie, and the part of their language that such templates use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from userscope.errors import ConfigurationError
from userscope.migrations.projects import KINDS, Project

# Sqitch's own, where it is not installed (see NOTICE).
_TITLE = "-- {} [% project %]:[% change %] {} [% engine %]\n"
_NEEDS = (
    "[% FOREACH item IN requires -%]\n-- requires: [% item %]\n[% END -%]\n"
    "[% FOREACH item IN conflicts -%]\n-- conflicts: [% item %]\n[% END -%]\n"
)
_DEFAULTS = {
    "deploy": _TITLE.format("Deploy", "to") + _NEEDS + "\nBEGIN;\n\n-- XXX Add DDLs here.\n\nCOMMIT;\n",
    "revert": _TITLE.format("Revert", "from") + "\nBEGIN;\n\n-- XXX Add DDLs here.\n\nCOMMIT;\n",
    "verify": _TITLE.format("Verify", "on") + "\nBEGIN;\n\n-- XXX Add verifications here.\n\nROLLBACK;\n",
}
# A "-" takes the end of the line before, or after, along.
_DIRECTIVE = re.compile(
    r"(?:(?:\n|\A)[^\S\n]*(?=\[%-))?\[%-?\s*(?P<words>.*?)\s*(?:-%\](?:[^\S\n]*\n)?|%\])", re.DOTALL
)
_LOOP = re.compile(r"(?i:foreach)\s+(?P<item>\w+)\s*(?:\b(?i:in)\b|=)\s*(?P<list>\w+)\Z")
_TEST = re.compile(r"(?P<word>(?i:if|unless))\s+(?P<value>\w+)\Z")
_USER, _SYSTEM = Path(".sqitch/templates"), Path("/etc/sqitch/templates")

type Values = Mapping[str, str | Sequence[str]]
type Part = tuple[bool, str]  # whether it is a directive


def find(project: Project) -> dict[str, tuple[str, str]]:
    """Return each kind of script's template: where it lies and its text, as Sqitch's ``add`` finds them.

    Raises ConfigurationError for one that is named and cannot be read.
    """
    config = project.config
    found = {
        key.removeprefix("add.templates."): project.folder / value
        for key, value in config.items()
        if key.startswith("add.templates.")
    }
    name = config.get("add.template_name") or "pg"
    folders = [Path.home() / _USER, _SYSTEM]
    if named := config.get("add.template_directory"):
        folders.insert(0, project.folder / named)
        if not folders[0].is_dir():
            raise ConfigurationError(f'there is no folder "{folders[0]}"', hint="Correct add.template_directory.")
    for folder in filter(Path.is_dir, folders):
        for inside in sorted(filter(Path.is_dir, folder.iterdir())):
            file = inside / f"{name}.tmpl"
            if inside.name not in found and file.is_file():
                found[inside.name] = file
    texts = {kind: (str(path), _read(path)) for kind, path in found.items()}
    for kind in KINDS:
        if kind not in texts and name != "pg":
            raise ConfigurationError(f'there is no {kind} template "{name}"', hint="Correct add.template_name.")
        texts.setdefault(kind, ("userscope's own", _DEFAULTS[kind]))
    return dict(sorted(texts.items()))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(
            f'cannot read template "{path}"', detail=f"{reason}.", hint="Correct [add.templates]."
        ) from None


def render(text: str, values: Values, where: str) -> str:
    """Return a template with its values put in. Raises ConfigurationError for what it cannot do."""
    return _written(iter(_parts(text)), values, where)


def _parts(text: str) -> Iterator[Part]:
    """Split into plain texts and what stands between ``[%`` and ``%]``, with its chomping done."""
    position = 0
    for match in _DIRECTIVE.finditer(text):
        yield False, text[position : match.start()]
        if not match["words"].startswith("#"):
            yield True, match["words"].removesuffix(";").rstrip()
        position = match.end()
    yield False, text[position:]


def _written(parts: Iterator[Part], values: Values, where: str) -> str:
    written = ""
    for is_directive, words in parts:
        if not is_directive:
            written += words
        elif loop := _LOOP.match(words):
            body, _ = _halves(parts)
            over = values.get(loop["list"], ())
            for value in [over] if isinstance(over, str) else over:
                written += _written(iter(body), {**values, loop["item"]: value}, where)
        elif test := _TEST.match(words):
            so = values.get(test["value"]) not in (None, "", "0", [], ())
            yes, no = _halves(parts)
            written += _written(iter(yes if so == (test["word"].lower() == "if") else no), values, where)
        elif re.fullmatch(r"\w+", words) and words.upper() not in ("END", "ELSE"):
            said = values.get(words, "")
            written += said if isinstance(said, str) else " ".join(said)
        else:
            raise _strange(where, words)
    return written


def _halves(parts: Iterator[Part]) -> tuple[list[Part], list[Part]]:
    """Take the block that has begun, up to its END: what stands before and after its ELSE."""
    halves: tuple[list[Part], list[Part]] = ([], [])
    depth, half = 1, 0
    for is_directive, words in parts:
        if is_directive:
            depth += bool(_LOOP.match(words) or _TEST.match(words)) - (words.upper() == "END")
            if depth == 0:
                break
            if depth == 1 and words.upper() == "ELSE":
                half = 1
                continue
        halves[half].append((is_directive, words))
    return halves


def _strange(where: str, words: str) -> ConfigurationError:
    return ConfigurationError(
        f'template "{where}" uses "[% {words} %]", which is not understood here',
        detail="Values, FOREACH, IF, UNLESS and ELSE are. Nothing was written.",
        hint='Write it with these, or plan the change by "sqitch add".',
    )
