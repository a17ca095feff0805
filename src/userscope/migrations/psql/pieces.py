"""What reading leaves: stretches of plain SQL that know their lines, and the data of COPY between them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from userscope.errors import ScriptError


@dataclass
class Piece:
    """SQL that is split by itself; ``data`` is for the COPY that ends it. ``anchors`` say where a text came from."""

    text: str = ""
    anchors: list[tuple[int, Path, int]] = field(default_factory=list)
    data: bytes | None = None


class Places:
    """Tells the file and line of offsets into a piece, which must not go back."""

    def __init__(self, piece: Piece) -> None:
        self._piece = piece
        self._index = 0
        self._counted, self._path, self._line = piece.anchors[0]

    def at(self, offset: int) -> tuple[Path, int]:
        """Return the file and line of an offset."""
        anchors = self._piece.anchors
        while self._index + 1 < len(anchors) and anchors[self._index + 1][0] <= offset:
            self._index += 1
            self._counted, self._path, self._line = anchors[self._index]
        self._line += self._piece.text.count("\n", self._counted, offset)
        self._counted = offset
        return self._path, self._line


class Builder:
    """Puts one piece together."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._anchors: list[tuple[int, Path, int]] = []
        self.length = 0

    def add(self, text: str, path: Path, line: int) -> None:
        """Add a text that came from a line."""
        if text:
            self._anchors.append((self.length, path, line))
            self._parts.append(text)
            self.length += len(text)

    def text(self, start: int = 0) -> str:
        """Return what was added, from an offset."""
        self._parts = ["".join(self._parts)]
        return self._parts[0][start:]

    def piece(self, data: bytes | None = None) -> Piece:
        """Return the piece."""
        return Piece(self.text(), self._anchors, data)


def read_text(path: Path) -> str:
    """Read a script as it stands, carriage returns included; a byte order mark before it is none of it.

    Raises ScriptError, or FileNotFoundError.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScriptError(f'script "{path}" is not UTF-8', hint="Save it as UTF-8.") from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ScriptError(f'cannot read script "{path}"', detail=f"{error.strerror}.") from None
    if "\0" in text:
        raise ScriptError(f'script "{path}" holds a zero byte')
    return text


PLAIN = "Write it as plain SQL, or deploy this project with Sqitch itself."


def refuse(path: Path, line: int, what: str, hint: str = PLAIN) -> NoReturn:
    """Refuse what is understood by psql alone. Raises ScriptError."""
    raise ScriptError(
        f'script "{path}" uses {what}',
        detail=f"This is line {line}. Only psql understands it. Nothing was run.",
        hint=hint,
    )


def mistaken(path: Path, line: int, what: str, hint: str) -> NoReturn:
    """Refuse what psql would not understand either, or only at the cost of something. Raises ScriptError."""
    raise ScriptError(f'script "{path}" {what}', detail=f"This is line {line}. Nothing was run.", hint=hint)
