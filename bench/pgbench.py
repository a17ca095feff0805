"""Latency as PostgreSQL's own pgbench sees it: a client in C, on the server's socket."""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Literal

from psycopg.conninfo import make_conninfo

from userscope.local.binaries import Binaries
from userscope.postgres.url import ConnectionURL

Mode = Literal["extended", "prepared"]
"""Whether each statement is parsed and planned anew, as userscope's are, or once for each connection."""


def latency(
    url: ConnectionURL,
    script: str,
    *,
    mode: Mode = "extended",
    times: int = 300,
    values: Mapping[str, str] | None = None,
) -> float:
    """Run ``script`` one time after the other; return the average, in seconds. Raises RuntimeError."""
    params = {name: value for name, value in url.params.items() if name != "password"}
    defined = [word for name, value in (values or {}).items() for word in ("-D", f"{name}={value}")]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command: list[str | os.PathLike[str]] = [
            Binaries.embedded() / "pgbench",
            "--no-vacuum",
            f"--protocol={mode}",
            f"--transactions={times}",
        ]
        done = subprocess.run(
            [*command, f"--file={file.name}", *defined, "-d", make_conninfo(**params)],
            env={**os.environ, "PGPASSWORD": url.params["password"]},
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"^latency average = ([0-9.]+) ms$", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        raise RuntimeError(f"pgbench failed:\n{script}\n{done.stderr}")
    return float(found[1]) / 1000
