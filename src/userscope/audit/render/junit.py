"""A report as JUnit's XML: a case for each rule that was asked, and for each finding that fails."""

import re
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from userscope.audit.model import LEVELS, Finding, Report
from userscope.audit.render.occasion import Occasion

_SUITE = "userscope audit"
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(report: Report, occasion: Occasion) -> str:
    """Write what fails as failures, and what is only told as the output of its rule's case."""
    counts = LEVELS[: LEVELS.index(occasion.fail_on) + 1]
    cases: list[Element] = []
    by_rule = sorted(report.findings, key=lambda found: found.rule)
    found_by = {rule: list(found) for rule, found in groupby(by_rule, lambda found: found.rule)}
    for rule in sorted({*occasion.rules, *found_by}):
        found = found_by.get(rule, [])
        failing = [one for one in found if one.level in counts]
        cases += [_failing(one) for one in failing]
        told = [_words(one) for one in found if one.level not in counts]
        if told or not failing:
            cases.append(Element("testcase", classname=_SUITE, name=rule, time="0"))
            if told:
                SubElement(cases[-1], "system-out").text = _legal("\n\n".join(told))
    numbers = {"tests": str(len(cases)), "failures": str(sum(case.find("failure") is not None for case in cases))}
    root = Element("testsuites", {"name": _SUITE, **numbers})
    suite = SubElement(root, "testsuite", {"name": _SUITE, **numbers, "errors": "0", "skipped": "0", "time": "0"})
    suite.extend(cases)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _failing(found: Finding) -> Element:
    case = Element("testcase", classname=_SUITE, name=_legal(f"{found.rule}: {found.object}"), time="0")
    failure = SubElement(case, "failure", type=found.level, message=_legal(found.finding))
    failure.text = _legal(_words(found))
    return case


def _words(found: Finding) -> str:
    return f"{found.level.upper()}:  {found.object}: {found.finding}\nDETAIL:  {found.detail}\nHINT:  {found.cure}"


def _legal(text: str) -> str:
    """Put a sign in the place of what no XML may hold, and PostgreSQL's names may."""
    return _NO_XML.sub("\ufffd", text)
