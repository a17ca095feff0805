"""The picture: a row for each table, a column for each role, and in it which rows each command reaches."""

from itertools import groupby

from userscope.audit.model import LEVELS, Finding
from userscope.audit.render.html.elements import Element, e
from userscope.audit.render.html.reach import COMMANDS, JUDGED, WORDS, Reached, Tile

_BARS = 4
_FILLED = {"none": 0, "some": 1, "every": _BARS}


def symbols() -> Element:
    """Draw the signs once: four rows of a table, of which none, one or every one is reached."""
    drawn = [e("symbol", *_bars(filled), id=f"rows-{rows}", viewBox="0 0 16 16") for rows, filled in _FILLED.items()]
    return e("svg", *drawn, class_="symbols", aria_hidden="true", width="0", height="0")


def _bars(filled: int) -> list[Element]:
    return [
        e(
            "rect",
            x="2",
            y=str(1 + 3.75 * row),
            width="12",
            height="2.5",
            rx="1",
            class_="on" if row < filled else "off",
        )
        for row in range(_BARS)
    ]


def sign(rows: str) -> Element:
    """Draw one sign."""
    return e("svg", e("use", href=f"#rows-{rows}"), class_="sign", aria_hidden="true")


def legend(seen: Reached) -> Element:
    """Tell what the signs mean, and the marks that occur."""
    tiles = seen.tiles.values()
    marks = [
        ("error", "an error was found", any(tile.level == "error" for tile in tiles)),
        ("warning", "a warning was found", any(tile.level in ("warning", "info") for tile in tiles)),
        ("accepted", "accepted, with a reason", any(tile.accepted for tile in tiles)),
        ("changed", "not as it was before", seen.compared),
    ]
    items = [e("li", e("span", sign(rows), class_=f"tile {rows}"), f" {words}") for rows, words in WORDS.items()]
    items += [
        e("li", e("span", sign("some"), class_=f"tile some {verdict}"), f" {words}")
        for verdict, words in JUDGED.items()
        if any(tile.verdict == verdict for tile in tiles)
    ]
    items.append(e("li", e("span", "·", class_="tile closed"), " not granted"))
    items += [
        e("li", e("span", sign("some"), class_=f"tile some {mark}"), f" {words}")
        for mark, words, there in marks
        if there
    ]
    return e("ul", *items, class_="legend")


def picture(seen: Reached) -> Element:
    """Draw the table."""
    if not seen.objects:
        return e("p", "No role may do anything to any table that is audited.", class_="empty")
    head = e("tr", e("th", "Table", scope="col"), *(_role(seen, role) for role in seen.roles))
    bodies = []
    for schema, things in groupby(seen.objects, lambda thing: _parts(thing)[0]):
        name = e("th", e("span", schema), _commands(), scope="rowgroup", colspan=str(len(seen.roles) + 1))
        heading = e("tr", name, class_="schema")
        bodies.append(e("tbody", heading, *(_row(seen, thing) for thing in things)))
    table = e("table", e("caption", "Which rows each role reaches"), e("thead", head), *bodies)
    return e("div", table, class_="scroll", tabindex="0", role="region", aria_label="The picture")


def _role(seen: Reached, role: str) -> Element:
    found = seen.about.get(f"role {role}", [])
    name = e("a", role, href=f"#d-{seen.id_of(f'role {role}')}") if found else role
    return e("th", name, _mark(found), _share(seen, role), _commands(), scope="col", id=seen.id_of(f"role {role}"))


def _commands() -> Element:
    return e("span", *(e("abbr", word[:3].lower(), title=word) for word in COMMANDS), class_="commands")


def _share(seen: Reached, role: str) -> Element:
    """Draw how much of everything there is a role reaches: every row, some, none, or nothing granted."""
    mine = [tile.rows for tile in seen.tiles.values() if tile.place[0] == role and tile.accesses]
    whole = len(seen.objects) * len(COMMANDS)
    bars, x = [], 0.0
    for rows in ("every", "some", "none"):
        width = 100 * mine.count(rows) / whole
        bars.append(e("rect", x=f"{x:.2f}", y="0", width=f"{width:.2f}", height="4", class_=rows))
        x += width
    told = ", ".join(f"{mine.count(rows)} × {WORDS[rows]}" for rows in ("every", "some", "none") if rows in mine)
    return e(
        "svg", e("title", told), e("rect", x="0", y="0", width="100", height="4", class_="whole"), *bars,
        class_="share", viewBox="0 0 100 4", preserveAspectRatio="none", role="img", aria_label=told or "nothing",
    )  # fmt: skip


def _row(seen: Reached, thing: str) -> Element:
    here = _of(seen, thing)
    found = seen.about.get(thing, [])
    state = " ".join(
        word
        for word, is_so in (("found", bool(found)), ("changed", any(tile.before is not None for tile in here)))
        if is_so
    )
    name = e("a", _parts(thing)[1], href=f"#d-{seen.id_of(thing)}")
    cells = []
    for role in seen.roles:
        signs = [_tile(seen.tiles.get((role, thing, command))) for command in COMMANDS]
        state_of = "some" if any(tile.place[0] == role for tile in here) else "nothing"
        cells.append(e("td", e("span", role, class_="role"), *signs, class_=state_of))
    head = e("th", name, _mark(found), scope="row", id=seen.id_of(thing))
    return e("tr", head, *cells, data_name=thing.lower(), data_state=state)


def _of(seen: Reached, thing: str) -> list[Tile]:
    places = ((role, thing, command) for role in seen.roles for command in COMMANDS)
    return [seen.tiles[place] for place in places if place in seen.tiles]


def _tile(tile: Tile | None) -> Element:
    if tile is None:
        return e("span", "·", class_="tile closed", aria_hidden="true")
    marks = [tile.rows if tile.accesses else "lost", tile.verdict, tile.level, "accepted" if tile.accepted else None]
    marks.append("changed" if tile.before is not None else None)
    classes = " ".join(["tile", *(mark for mark in marks if mark)])
    return e(
        "a", sign(tile.rows), class_=classes, id=tile.id, href=f"#d-{tile.id}", title=tile.words, aria_label=tile.words
    )


def _mark(found: list[Finding]) -> Element | None:
    """Tell how much was found, and how bad the worst of it is."""
    if not found:
        return None
    worst = min((one.level for one in found), key=LEVELS.index)
    return e("span", str(len(found)), class_=f"mark {worst}", title=f"{len(found)} found, {worst} at worst")


def _parts(thing: str) -> tuple[str, str]:
    """Part a schema from a name, either of which may be quoted."""
    end = thing.index('".', 1) + 1 if thing.startswith('"') else thing.find(".")
    return thing[:end], thing[end + 1 :]
