"""The grammar of Sqitch's plan files, refusing what Sqitch refuses."""

import datetime
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NoReturn

from userscope.errors import PlanError
from userscope.migrations.plan.plan import Change, Dependency, Plan, Tag, is_true

# Perl's words: horizontal blanks, white space, and the ASCII punctuation that no name begins or ends with.
_BLANK = r"[\t \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_SPACE = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_PUNCT = r"""\-!"#$%&'()*+,./:;<=>?@\[\]^`{|}~"""
_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"
# The years in which these days ended in a leap second.
_LEAP_SECONDS = {
    "06-30": (1972, 1981, 1982, 1983, 1985, 1992, 1993, 1994, 1997, 2012, 2015),
    "12-31": (*range(1972, 1980), 1987, 1989, 1990, 1995, 1998, 2005, 2008, 2016),
}
_ESCAPES = {r"\n": "\n", r"\r": "\r", r"\\": "\\"}
NAME_HINT = (
    'A name begins with a letter, a digit or "_", holds no blank, ":", "@", "#" or "\\", and does not end in '
    "punctuation or in digits after one of ~ / = % ^."
)


@dataclass(frozen=True)
class _Patterns:
    name: re.Pattern[str]
    dependency: re.Pattern[str]
    line: re.Pattern[str]


@cache
def _patterns(word: str) -> _Patterns:
    """Build the patterns; ``word`` is the character class of what Perl takes for a letter, digit or underscore."""
    boundary = rf"(?:(?<=[{word}])(?![{word}])|(?<![{word}])(?=[{word}]))"
    name = rf"(?![{_PUNCT}])(?:(?![~/=%^]\d+(?:\Z|{_BLANK}))(?!{_BLANK})[^:@#\\])+(?<![{_PUNCT}]){boundary}"
    return _Patterns(
        re.compile(rf"{name}\Z"),
        re.compile(
            rf"(?P<conflict>!?)(?:(?P<project>{name}):)?"
            rf"(?:(?P<id>[0-9a-f]{{40}})|(?P<change>{name})(?:@(?P<change_tag>{name}))?|(?:@(?P<tag>{name}))?)\Z"
        ),
        re.compile(
            rf"{_BLANK}*(?:@|{_BLANK}*[+-]{_BLANK}*)?(?P<name>{name})(?:{_BLANK}+)?"
            rf"(?:\[(?P<dependencies>[^\]]+)\]{_BLANK}*)?(?:(?P<date>{_TIME})Z{_BLANK}*)?"
            rf"(?:(?P<planner>[^<]+){_BLANK}+<(?P<email>[^>]+)>)?\Z"
        ),
    )


_TIMESTAMP = re.compile(f"{_TIME}Z")
_COMMENT = re.compile(rf"{_BLANK}*(?:#{_BLANK}*(?P<note>.+)|\Z)")
_NOTE = re.compile(rf"{_BLANK}*(?:#{_BLANK}*(?P<note>.*))?\Z")
_PRAGMA = re.compile(
    rf"{_BLANK}*%{_BLANK}*(?P<name>[^{_PUNCT}](?:(?:(?!{_BLANK})[^=])*?(?!{_BLANK})[^{_PUNCT}])?)"
    rf"(?:{_BLANK}*={_BLANK}*(?P<value>.+))?\Z"
)


@dataclass
class _Parser:
    path: Path
    patterns: _Patterns
    number: int = 0
    plan: Plan = field(init=False)
    # Where names and tags of closed sections, and names of the section since the last tag, were declared.
    declared: dict[str, int] = field(default_factory=dict)
    section: dict[str, int] = field(default_factory=dict)
    section_start: int = 0
    latest: dict[str, Change] = field(default_factory=dict)

    def refuse(self, reason: str, hint: str | None = None) -> NoReturn:
        raise PlanError(f'plan "{self.path}" is not valid: {reason}', detail=f"This is line {self.number}.", hint=hint)

    def header(self, lines: list[str]) -> int:
        """Read the pragmas; return the number of lines up to the blank one that ends them."""
        pragmas: dict[str, str] = {}
        for number, line in enumerate(lines, start=1):
            self.number = number
            if comment := _COMMENT.match(line):
                if is_true(_trim(comment["note"])):
                    continue
                break
            pragma = _PRAGMA.match(_cut_note(line)[0])
            if pragma is None:
                self.refuse("invalid pragma", "Put a blank line between the pragmas and the changes.")
            value = pragma["value"]
            if pragma["name"] == "project" and not (value and self.patterns.name.match(value)):
                self.refuse(f'invalid project name "{value or ""}"', NAME_HINT)
            pragmas[pragma["name"]] = "1" if value is None else value
        if not is_true(pragmas.get("project")):
            raise PlanError(
                f'plan "{self.path}" names no project', hint='Begin it with a line such as "%project=schema".'
            )
        self.plan = Plan(self.path, pragmas["project"], pragmas.get("uri"))
        _ = self.plan.identity  # refuses a URI that has no canonical form
        return self.number

    def body_line(self, line: str) -> None:
        if _COMMENT.match(line):
            return
        content, note = _cut_note(line)
        match = self.patterns.line.match(content)
        if match is None or not is_true(match["name"]) or (match["date"] is None and _TIMESTAMP.search(content)):
            self.refuse("invalid name", NAME_HINT)
        name = match["name"]
        if match["date"] is None:
            self.refuse(f'"{name}" has no timestamp', "Write it in UTC, such as 2026-01-31T12:00:00Z.")
        if match["planner"] is None:
            self.refuse(f'"{name}" has no planner', "Write the planner as NAME <EMAIL> after the timestamp.")
        if name in ("ROOT", "HEAD"):
            self.refuse(f'"{name}" is a reserved name')
        if re.match("[0-9a-f]{40}", name):
            self.refuse(f'"{name}" could be confused with an id')
        if not _is_time(match["date"]):
            self.refuse(f'"{match["date"]}Z" is no time')
        words = (name, noted(note), f"{match['date']}Z", match["planner"], match["email"])
        if content.lstrip(_SPACE).startswith("@"):
            self.tag(words, match["dependencies"])
        else:
            self.change(words, match["dependencies"])

    def tag(self, words: tuple[str, str, str, str, str], dependencies: str | None) -> None:
        name = words[0]
        if "/" in name:
            self.refuse(f'tag "@{name}" contains "/"')
        if not self.plan.changes:
            self.refuse(f'tag "@{name}" stands before any change')
        if f"@{name}" in self.declared:
            self.refuse(f'tag "@{name}" was already set on line {self.declared[f"@{name}"]}')
        if is_true(dependencies):
            self.refuse("a tag has no dependencies of its own")
        self.close_section()
        change = self.plan.changes[-1]
        change.tags.append(Tag(*words, change))
        self.declared |= self.section | {f"@{name}": self.number}
        self.section = {}

    def change(self, words: tuple[str, str, str, str, str], dependencies: str | None) -> None:
        name = words[0]
        if name in self.section:
            self.refuse(
                f'change "{name}" was already planned on line {self.section[name]}',
                "To rework a change, set a tag between the two.",
            )
        parsed = self.dependencies(dependencies) if is_true(dependencies) else []
        requires = tuple(dependency for dependency in parsed if not dependency.conflict)
        conflicts = tuple(dependency for dependency in parsed if dependency.conflict)
        change = Change(self.plan, len(self.plan.changes), *words, requires, conflicts, line=self.number)
        self.section[name] = self.number
        self.plan.changes.append(change)
        if earlier := self.latest.get(name):
            # Newest change first, each one's tags in order, the reworked change's own last.
            between = self.plan.changes[earlier.index : self.section_start]
            earlier.rework_tags = [tag for passed in reversed(between) for tag in passed.tags]
        self.latest[name] = change

    def dependencies(self, text: str) -> list[Dependency]:
        words = re.split(rf"{_BLANK}+", text)
        while words and not words[-1]:
            words.pop()
        for word in words:
            if words.count(word) > 1:
                self.refuse(f'dependency "{word}" is given twice')
        return [self.dependency(word) for word in words]

    def dependency(self, word: str) -> Dependency:
        match = self.patterns.dependency.match(word)
        if match is None or not (match["id"] or match["change"] or match["tag"]):
            self.refuse(
                f'"{word}" is no dependency',
                "Write NAME, @TAG, NAME@TAG or PROJECT:NAME, with ! before it for a conflict, separated by one blank.",
            )
        if match["id"] and not match["project"]:
            # Sqitch looks it up in the plan that it is reading, and never returns.
            self.refuse("an id cannot stand alone as a dependency", f'Name the project: "PROJECT:{match["id"]}".')
        project = match["project"] or self.plan.project
        tag = match["change_tag"] or match["tag"]
        return Dependency(project, match["change"], tag, match["id"], match["conflict"] == "!")

    def close_section(self) -> None:
        """Check that what the section's changes require of their own project stands before them."""
        seen: set[str] = set()
        for change in self.plan.changes[self.section_start :]:
            for dependency in change.requires:
                if dependency.project == self.plan.project and not self._stands_before(dependency, seen):
                    self.number = change.line
                    where = "itself" if dependency.key == change.name else f'"{dependency.key}", which is not before it'
                    self.refuse(f'change "{change.name}" requires {where}', "Only an earlier change can be required.")
            seen.add(change.name)
        self.section_start = len(self.plan.changes)

    def _stands_before(self, dependency: Dependency, seen: set[str]) -> bool:
        if dependency.change and dependency.tag:
            name, tag = self.declared.get(dependency.change), self.declared.get(f"@{dependency.tag}")
            return name is not None and tag is not None and name < tag
        return dependency.key in self.declared or dependency.key in seen


def parse(data: bytes, path: Path) -> Plan:
    """Parse the bytes of the plan file at ``path``. Raises PlanError, which names the line."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        bad = data.count(b"\n", 0, error.start) + 1
        raise PlanError(f'plan "{path}" is not UTF-8', detail=f"This is line {bad}.") from None
    # The last line may have no end, and then a "\r" is no part of one.
    *ended, last = text.split("\n")
    lines = [*(line.removesuffix("\r") for line in ended), *([last] if last else [])]
    parser = _Parser(path, _patterns(_word_class(text)))
    start = parser.header(lines)
    for number, line in enumerate(lines[start:], start=start + 1):
        parser.number = number
        parser.body_line(line)
    parser.close_section()
    return parser.plan


def read(path: Path) -> Plan:
    """Parse the plan file at ``path``. Raises PlanError."""
    try:
        return parse(path.read_bytes(), path)
    except OSError as error:
        raise PlanError(f'cannot read plan "{path}"', detail=f"{error.strerror}.") from None


def _cut_note(line: str) -> tuple[str, str]:
    match = _NOTE.search(line)
    assert match is not None, "the pattern matches at the end of every line"  # noqa: S101  # narrows the type
    return line[: match.start()], match["note"] or ""


def noted(text: str) -> str:
    """Return a note as Sqitch takes it, from a plan or a command line."""
    return re.sub(r"\\[\\nr]", lambda match: _ESCAPES[match[0]], _trim(text))


def _trim(note: str | None) -> str:
    return (note or "").strip(_SPACE)


def _is_time(text: str) -> bool:
    if not text.isascii():
        return False
    if text.endswith("T23:59:60"):
        return int(text[:4]) in _LEAP_SECONDS.get(text[5:10], ())
    try:
        # Sqitch knows a year 0, Python does not; it is a leap year like 2000.
        datetime.datetime.fromisoformat(re.sub(r"\A0000-", "2000-", text))
    except ValueError:
        return False
    return True


def _word_class(text: str) -> str:
    """Return a character class of the word characters by Perl's rules: marks belong to words, unlike in Python."""
    return "A-Za-z0-9_" + "".join(sorted(char for char in set(text) if not char.isascii() and _is_word(char)))


def _is_word(char: str) -> bool:
    category = unicodedata.category(char)
    circled = category == "So" and ("\u24b6" <= char <= "\u24e9" or "\U0001f130" <= char <= "\U0001f189")
    return category[0] in "LM" or category in ("Nd", "Nl", "Pc") or char in "\u200c\u200d" or circled
