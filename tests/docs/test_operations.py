"""docs/troubleshooting.md and docs/deployment.md: messages, files and commands are real."""

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it has no types of its own
from typer.main import get_command

from tests.clusters import ROOT
from tests.docs import console
from userscope.cli.app import app

SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
TROUBLE, DEPLOYMENT = (
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("troubleshooting", "deployment")
)


def test_messages() -> None:
    """Each message of the page stands in the source, as it is shown."""
    messages = re.findall(r"^\| `(.+?)` \|", TROUBLE, re.MULTILINE)
    assert len(messages) > 20
    written = re.sub(r'"\s*\n\s*f?"', "", SOURCES)  # one message may be written on two lines
    assert [message for message in messages if message not in written] == []


def test_yaml() -> None:
    """What compose, Kubernetes and GitHub read is read, and hangs together."""
    compose, kubernetes, workflow = (list(yaml.safe_load_all(text)) for text in console.blocks(DEPLOYMENT, "yaml"))
    services: dict[str, Any] = compose[0]["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= services.keys()
    job, deployment = kubernetes
    assert (job["kind"], deployment["kind"]) == ("Job", "Deployment")
    pods = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"] == pods["metadata"]["labels"]
    (container,) = pods["spec"]["containers"]
    for probe in ("livenessProbe", "readinessProbe"):
        assert f'@app.get("{container[probe]["httpGet"]["path"]}"' in SOURCES
    (steps,) = (each["steps"] for each in workflow[0]["jobs"].values())
    assert all(("run" in step) != ("uses" in step) for step in steps)


@pytest.mark.parametrize("page", [TROUBLE, DEPLOYMENT], ids=["troubleshooting", "deployment"])
def test_commands(page: str) -> None:
    """Each command that is named exists, and takes the options that it is shown with."""
    commands: dict[str, Any] = dict(vars(get_command(app))["commands"])
    page = page.replace('", "', " ").replace('["', "`").replace('"]', "`")
    lines = re.findall(r"(?:`|run: )userscope ([a-z][^`\n]*)", page)
    assert lines
    for line in lines:
        name, *words = re.split(r" -- | {", line)[0].split()
        command = commands[name]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {flag for parameter in command.params for flag in parameter.opts}
        assert [word for word in words if word.startswith("--") and word not in known] == [], line


def test_dockerfile() -> None:
    """The image runs as an ordinary user, what it copies is named, and what starts is a list of words."""
    (text,) = console.blocks(DEPLOYMENT, "dockerfile")
    words = [line.split(maxsplit=1) for line in text.splitlines()]
    assert words[0][0] == "FROM"
    assert ["USER", "1000"] in words
    assert "latest" not in text
    assert words[-1][1].startswith("[")
