"""What stands behind each part of the picture: the policy, a plan, what was found, what it was before."""

from collections.abc import Iterable

from userscope.audit.conditions import shortened
from userscope.audit.examples import Policy
from userscope.audit.model import Access, Report
from userscope.audit.render.html.elements import Element, e
from userscope.audit.render.html.lists import finding
from userscope.audit.render.html.picture import sign
from userscope.audit.render.html.reach import JUDGED, WORDS, Reached, Tile
from userscope.audit.render.occasion import Occasion
from userscope.audit.render.words import granted_of


def details(report: Report, occasion: Occasion, seen: Reached) -> Element:
    """Write a part for each tile, each table and each role of which something was found; one is shown at a time."""
    parts = [_of_tile(tile, report, occasion, seen) for tile in seen.tiles.values()]
    parts += [_of_thing(thing, seen, occasion) for thing in dict.fromkeys([*seen.objects, *seen.about])]
    return e("aside", *parts, id="details", aria_label="What stands behind it")


def _of_tile(tile: Tile, report: Report, occasion: Occasion, seen: Reached) -> Element:
    role, thing, command = tile.place
    policies = [one for one in occasion.examples.policies.get(thing, []) if _serves(one, tile)]
    example = occasion.examples.plans.get(tile.place)
    also = [found for found in seen.about.get(thing, []) if found not in tile.findings]
    return _part(
        tile.id,
        e("h3", e("span", sign(tile.rows), class_=_classes(tile)), f" {role} · {command}", class_="title"),
        e("p", thing, class_="thing"),
        e("p", "The audit's verdict: ", e("strong", JUDGED[tile.verdict]), ".") if tile.verdict else None,
        *(_which(one) for one in tile.accesses),
        None if tile.accesses else e("p", "This is not granted any more."),
        _columns(tile, report),
        *_before(tile),
        *_listed("Found here", (finding(found, None) for found in tile.findings)),
        *_listed("The policy", (_policy(one) for one in policies)),
        *_listed("The plan of an example", [_plan(*example)] if example else []),
        *_listed("About the table", (finding(found, None) for found in also)),
    )


def _classes(tile: Tile) -> str:
    return " ".join(["tile", tile.rows, *([tile.verdict] if tile.verdict else [])])


def _of_thing(thing: str, seen: Reached, occasion: Occasion) -> Element:
    policies = occasion.examples.policies.get(thing, [])
    found = seen.about.get(thing, [])
    return _part(
        seen.id_of(thing),
        e("h3", thing, class_="title"),
        None if found else e("p", "Nothing was found of it."),
        *_listed("What was found", (finding(one, None) for one in found)),
        *_listed("Its policies", (_policy(one) for one in policies)),
    )


def _part(name: str, *children: Element | None) -> Element:
    close = e("a", "Close", href=f"#{name}", class_="close")
    return e("article", close, *children, id=f"d-{name}", tabindex="-1")


def _listed(title: str, children: Iterable[Element]) -> list[Element]:
    every = list(children)
    return [e("h4", title), *every] if every else []


def _which(one: Access) -> Element:
    """Tell which rows, in a sentence and the condition itself."""
    conditions = dict.fromkeys(text for text in (one.using, one.check) if text is not None)
    if list(conditions) in (["true"], ["false"]):
        why = "no policy lets one through" if "false" in conditions else "no condition is asked"
        return e("p", e("strong", WORDS["none" if "false" in conditions else "every"].capitalize()), f": {why}.")
    if one.policy is None:
        return e("p", e("strong", "Some rows"), f": {one.using or one.check}, through this view.")
    parts: list[Element | str] = []
    for words, text in (("the row is reached where", one.using), ("what is written fulfils", one.check)):
        if text is not None:
            parts += [e("dt", words), e("dd", e("code", shortened(text)))]
    return e("dl", *parts)


def _columns(tile: Tile, report: Report) -> Element | None:
    """Tell which columns; those that are closed are struck through, where all are known."""
    if not tile.accesses or tile.place[2] == "DELETE":
        return None
    granted = tile.accesses[0].columns
    every = report.columns.get(tile.place[1], granted)
    names = [e("code" if name in granted else "s", name) for name in every]
    told = granted_of(granted, every) if granted else "none"
    return e("p", e("span", "Columns ", class_="label"), *_spaced(names), class_="columns", title=told)


def _spaced(elements: list[Element]) -> list[Element | str]:
    return [part for element in elements for part in (element, " ")]


def _before(tile: Tile) -> list[Element]:
    if tile.before is None:
        return []
    was = [_which(one) for one in tile.before] or [e("p", "It was not granted.")]
    columns = {tuple(one.columns) for one in tile.before} - {tuple(one.columns) for one in tile.accesses}
    was += [e("p", f"Columns: {', '.join(every)}") for every in columns if every and tile.accesses]
    return [e("div", e("h4", "Before"), *was, class_="before")]


def _policy(one: Policy) -> Element:
    words = e("p", one.comment, class_="comment") if one.comment else None
    return e("div", words, e("pre", e("code", one.statement())))


def _plan(statement: str, plan: str) -> Element:
    return e("pre", e("code", f"{statement};"), e("samp", f"\n\n{plan}"))


def _serves(policy: Policy, tile: Tile) -> bool:
    """Whether a policy lets it through, or is a wall that is in its way."""
    _, _, command = tile.place
    named = policy.name in {one.policy for one in tile.accesses}
    wall = not policy.permissive and ("public" in policy.roles or tile.place[0] in policy.roles)
    return policy.command in ("ALL", command) and (named or wall)
