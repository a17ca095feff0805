"""A report as GitHub's workflow commands: each finding is an annotation of the run."""

from userscope.audit.model import Finding, Report
from userscope.audit.render.occasion import Occasion
from userscope.audit.render.words import count

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def as_github(report: Report, occasion: Occasion) -> str:
    """Write a command for each finding, and count them."""
    return "\n".join([*(_command(found, occasion) for found in report.findings), count(report)])


def _command(found: Finding, occasion: Occasion) -> str:
    place = occasion.place(found.object)
    properties = {"file": place.file, "line": str(place.line)} if place else {}
    properties["title"] = f"{found.rule}: {found.object}"
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[found.level]} {told}::{_data(f'{found.finding}\n{found.detail}\nCure: {found.cure}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
