"""Files of a project are written all, or none."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from userscope.errors import ConfigurationError


def save(new: Mapping[Path, str | bytes], changed: Mapping[Path, bytes]) -> list[Path]:
    """Write new files, change others, return all. Raises ConfigurationError; everything is as it was then."""
    refuse_existing(new)
    before = {path: path.read_bytes() for path in changed}
    written: list[Path] = []
    try:
        for path, content in new.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write(content if isinstance(content, bytes) else content.encode())
        for path, data in changed.items():
            path.write_bytes(data)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        for path, data in before.items():
            if path.read_bytes() != data:
                path.write_bytes(data)
        raise ConfigurationError(
            f'cannot write "{error.filename}"', detail=f"{error.strerror}. Nothing was written."
        ) from None
    return [*before, *new]


def refuse_existing(paths: Iterable[Path]) -> None:
    """Refuse to write over a file. Raises ConfigurationError."""
    for path in paths:
        if path.exists():
            raise ConfigurationError(f'"{path}" is there already', hint="Nothing was written. Choose another name.")
