"""What the package's page shows: README, without the links that lead into the repository, which has them alone."""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Readme(MetadataHookInterface):
    """Reads it."""

    def update(self, metadata: dict[str, object]) -> None:
        """Set the readme; a link to a file is the file's name."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = re.sub(r"\[([^\]]+)\]\((?!\w+:)[^)]*\)", r"\1", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
