"""COPY through the client: its data stands in the script, or in a file that ``\\copy`` names."""

import re
from itertools import pairwise
from pathlib import Path

from userscope.migrations.psql.pieces import mistaken, refuse
from userscope.postgres.parser import postgast

_TOKEN = postgast.pg_query_pb2.Token
_COMMENTS = {"SQL_COMMENT", "C_COMMENT"}
_END = re.compile(r"^\\\.\r?(?:\n|\Z)", re.MULTILINE)
_COPY = re.compile(
    r"""(?P<before>(?:[^'"(]|"[^"]*"|'[^']*'|\([^()]*(?:\([^()]*\)[^()]*)*\))*?)\s(?P<way>from|to)\s+"""
    r"""(?P<source>'(?:[^']|'')*'|\S+)(?P<after>.*)""",
    re.IGNORECASE | re.DOTALL,
)
_DO_IT = 'Write "copy … from stdin;" with the data below it, and a line of "\\." at its end.'


def through_client(tokens: tuple[str, ...]) -> str | None:
    """Name a COPY that goes through the client, by its tokens."""
    if tokens[:1] != ("COPY",):
        return None
    for way, end in pairwise(tokens):
        if way in ("FROM", "TO") and end in ("STDIN", "STDOUT"):
            return f"COPY {way} {'STDIN' if way == 'FROM' else 'STDOUT'}"
    return None


def from_client(statement: str, path: Path, line: int) -> bool:
    """Whether the data of a COPY follows it. Raises ScriptError where it is the client that would get data."""
    found = through_client(tokens(statement))
    if found == "COPY TO STDOUT":
        refuse(path, line, found, "Leave it out of the script: nobody reads what it prints.")
    return found is not None


def tokens(sql: str) -> tuple[str, ...]:
    """Return the names of a statement's tokens, comments left out."""
    try:
        found = postgast.scan(sql).tokens
    except postgast.PgQueryError:  # the parser will say so
        return ()
    return tuple(name for token in found if (name := _TOKEN.Name(token.token)) not in _COMMENTS)


def inline(text: str, end: int, path: Path, line: int) -> tuple[bytes, int]:
    """Return the data that follows the line on which a COPY ends, and where it ends. Raises ScriptError."""
    rest, newline, _ = text[end : end + 10000].partition("\n")
    if rest.strip() and not rest.lstrip().startswith("--"):
        mistaken(path, line, "goes on in the line of a COPY", "Begin a new line after the data.")
    start = end + len(rest) + len(newline)
    match = _END.search(text, start)
    if match is None:
        mistaken(
            path, line, "has a COPY whose data does not end", 'End it by a line that holds "\\." and nothing else.'
        )
    return text[start : match.start()].encode(), match.end()


def command(text: str, path: Path, line: int) -> tuple[str, str | None]:
    """Return the COPY that a ``\\copy`` sends, and the file that it reads, or None for the script itself.

    Raises ScriptError.
    """
    match = _COPY.fullmatch(text.strip().rstrip(";"))
    source = match["source"] if match else ""
    if match is None or match["way"].lower() == "to" or source.lower() in ("program", "pstdin"):
        refuse(path, line, f"\\copy {match['way'].lower()} {source}" if match else "\\copy", _DO_IT)
    statement = f"COPY {match['before'].strip()} FROM STDIN {match['after'].strip()}".rstrip()
    if source.lower() in ("stdin", "stdout"):
        return statement, None
    return statement, source[1:-1].replace("''", "'") if source.startswith("'") else source
