"""A report as one page to look at: it loads nothing, and everything that comes from a database is text in it."""

import base64
from hashlib import sha256
from importlib.resources import files
from xml.etree.ElementTree import tostring

from userscope.audit.difference import difference
from userscope.audit.model import Report
from userscope.audit.render.html.details import details
from userscope.audit.render.html.elements import Element, e
from userscope.audit.render.html.lists import accepted, changes, findings
from userscope.audit.render.html.picture import legend, picture, symbols
from userscope.audit.render.html.reach import Reached, reached
from userscope.audit.render.occasion import Occasion
from userscope.audit.render.words import count

_STYLE = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
_SCRIPT = files(__package__).joinpath("page.js").read_text(encoding="utf-8")


def as_html(report: Report, occasion: Occasion) -> str:
    """Write the page: the picture, what each part of it stands for, what was found, and what has changed."""
    told = difference(occasion.before, report) if occasion.before else None
    seen = reached(report, told)
    main = e(
        "main",
        _header(report, occasion, seen),
        e(
            "section",
            e("h2", "Which rows each role reaches"),
            legend(seen),
            _filters(seen),
            picture(seen),
            id="picture",
        ),
        changes(told, seen),
        findings(report, seen),
        accepted(report),
        e("footer", e("p", f"Written by userscope on {occasion.when}." if occasion.when else "Written by userscope.")),
    )
    title = f"Who may do what in {occasion.database}" if occasion.database else "Who may do what"
    body = e("body", symbols(), main, details(report, occasion, seen), e("script", _SCRIPT))
    return "<!doctype html>\n" + tostring(e("html", _head(title), body, lang="en"), encoding="unicode", method="html")


def _head(title: str) -> Element:
    allowed = f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; img-src data:"
    return e(
        "head",
        e("meta", charset="utf-8"),
        e("meta", http_equiv="Content-Security-Policy", content=f"{allowed}; base-uri 'none'; form-action 'none'"),
        e("meta", name="viewport", content="width=device-width, initial-scale=1"),
        e("meta", name="color-scheme", content="light dark"),
        e("meta", name="referrer", content="no-referrer"),
        e("title", title),
        e("link", rel="icon", href="data:,"),
        e("style", _STYLE),
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _header(report: Report, occasion: Occasion, seen: Reached) -> Element:
    told = count(report)
    worst = next(
        (level for level in ("error", "warning", "info") if any(f.level == level for f in report.findings)), "fine"
    )
    where = e("p", "Database ", e("strong", occasion.database), class_="where") if occasion.database else None
    numbers = [
        (len(seen.objects), "table", "tables"), (len(seen.roles), "role", "roles"),
        (len({(one.object, one.policy) for one in report.matrix if one.policy}), "policy", "policies"),
    ]  # fmt: skip
    return e(
        "header",
        e("h1", "Who may do what"),
        where,
        e("p", told, class_=f"verdict {worst}"),
        e(
            "p",
            " · ".join(f"{number} {one if number == 1 else many}" for number, one, many in numbers),
            class_="numbers",
        ),
        e("button", "Light or dark", type="button", id="theme", hidden=""),
    )


def _filters(seen: Reached) -> Element:
    choices = [("every table", ""), ("with findings", "found")] + (
        [("what changed", "changed")] if seen.compared else []
    )
    return e(
        "form",
        e("label", "Table ", e("input", type="search", id="search", autocomplete="off", placeholder="part of a name")),
        e("label", "Show ", e("select", *(e("option", text, value=value) for text, value in choices), id="show")),
        e("output", id="shown", aria_live="polite"),
        id="filters",
        hidden="",
    )
