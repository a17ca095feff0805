"""What is told beside the picture: what was found, what is accepted, what has changed."""

from userscope.audit.conditions import shortened
from userscope.audit.difference import Difference
from userscope.audit.model import LEVELS, Access, Finding, Report
from userscope.audit.render.html.elements import Element, e
from userscope.audit.render.html.reach import Reached
from userscope.audit.render.words import which
from userscope.audit.rules import described, plain

_MANY = {"error": "Errors", "warning": "Warnings", "info": "Could not be seen"}


def finding(found: Finding, target: str | None) -> Element:
    """Write a finding, with a link to where it is in the picture."""
    there = e("a", "in the picture", href=f"#{target}", class_="there") if target else None
    return e(
        "div",
        e("p", e("span", found.level, class_=f"level {found.level}"), " ", e("code", found.rule), " ", there),
        e("p", e("strong", found.object), f": {found.finding}"),
        e("p", found.detail),
        e("p", e("span", "Cure ", class_="label"), e("code", found.cure)),
        class_=f"finding {found.level}",
    )


def findings(report: Report, seen: Reached) -> Element:
    """Write all of them, the worst first, each rule with what it looks for."""
    told = described()
    parts: list[Element] = []
    for level in LEVELS:
        by_rule: dict[str, list[Element]] = {}
        for found in report.findings:
            if found.level == level:
                by_rule.setdefault(found.rule, []).append(finding(found, seen.of(found)))
        parts += [e("h3", _MANY[level])] if by_rule else []
        for rule, every in by_rule.items():
            why = e("p", f"Found when {plain(told[rule])}.", class_="why") if rule in told else None
            opened = {"open": ""} if level == "error" else {}
            parts.append(e("details", e("summary", e("code", rule), f" {len(every)}"), why, *every, **opened))
    return e("section", e("h2", "What was found"), *(parts or [e("p", "Nothing.", class_="empty")]), id="findings")


def accepted(report: Report) -> Element | None:
    """Write what a baseline accepts, with the reasons."""
    if not report.accepted:
        return None
    rows = [
        e(
            "tr",
            e("td", e("code", found.rule)), e("td", found.object, ": ", found.finding), e("td", entry.reason),
            e("td", entry.by), e("td", str(entry.until or "for ever")),
        )
        for found, entry in report.accepted
    ]  # fmt: skip
    return e(
        "section", e("h2", "What is accepted"), _table(("Rule", "What", "Reason", "By", "Until"), rows), id="accepted"
    )


def changes(told: Difference | None, seen: Reached) -> Element | None:
    """Write what differs from the report before: who may do more, less or otherwise, and what was found since."""
    if told is None:
        return None
    rows = [_change("more", "gained", None, one) for one in told.gained]
    rows += [_change("less", "lost", one, None) for one in told.lost]
    rows += [_change("other", "changed", before, now) for before, now in told.changed]
    parts = [_table(("", "Who", "Before", "Now"), rows)] if rows else []
    for title, found in (("Found now, and not before", told.new), ("Found before, and not now", told.gone)):
        parts += [e("h3", title), e("ul", *(_line(one, seen) for one in found), class_="lines")] if found else []
    return e("section", e("h2", "What has changed"), *(parts or [e("p", "Nothing.", class_="empty")]), id="changes")


def _line(found: Finding, seen: Reached) -> Element:
    target = seen.of(found)
    thing = e("a", found.object, href=f"#d-{target}") if target else found.object
    return e("li", e("span", found.level, class_=f"level {found.level}"), " ", thing, f": {found.finding}")


def _change(kind: str, word: str, before: Access | None, now: Access | None) -> Element:
    one = now or before
    who = f"{one.role}: {one.command} on {one.object}" if one else ""
    wider = before and now and before.columns != now.columns
    told = [_rows(access, with_columns=bool(wider)) for access in (before, now)]
    return e("tr", e("td", e("span", word, class_=f"change {kind}")), e("td", who), *(e("td", text) for text in told))


def _rows(access: Access | None, *, with_columns: bool) -> Element | str:
    if access is None:
        return "not at all"
    text = which(access, "")
    return e("code", f"{text} [{', '.join(access.columns)}]" if with_columns else shortened(text))


def _table(headings: tuple[str, ...], rows: list[Element]) -> Element:
    head = e("thead", e("tr", *(e("th", heading, scope="col") for heading in headings)))
    return e("div", e("table", head, e("tbody", *rows), class_="plain"), class_="scroll", tabindex="0", role="region")
