"""The pictures of docs/architecture.md, drawn from what a test holds; readable on light and dark pages alike."""

from html import escape

from tests.test_imports import FLOORS

WIDTH = 760
_BOX, _ROW = 34, 58
_LIGHT = (
    ".p{fill:#fff}text{fill:#1b2430}.s{fill:#4a5563}.g{stroke:#ccd3db}.w{stroke:#4a5563}"
    ".b{fill:#e8f0fe;stroke:#3b6fb6}.d{fill:#e7f5ec;stroke:#2f7d4f}.o{fill:#eceef1;stroke:#7d8590}"
)
_DARK = (
    ".p{fill:#161b22}text{fill:#e6edf3}.s{fill:#a9b4c0}.g{stroke:#30363d}.w{stroke:#a9b4c0}"
    ".b{fill:#1d3557;stroke:#6ea8fe}.d{fill:#173a29;stroke:#5fc08a}.o{fill:#2a3038;stroke:#8b949e}"
)
_STYLE = (
    f"text{{font:14px system-ui,sans-serif}}.s{{font-size:12px}}{_LIGHT}@media(prefers-color-scheme:dark){{{_DARK}}}"
)

REQUEST = (
    ("b", "A request, with a bearer token", "fastapi/ turns it into a session, auth/ proves whose it is"),
    (
        "b",
        "session(user_id)",
        "connection/: a connection of the pool; who acts is sealed by the key",
    ),
    ("b", "one trip: DISCARD ALL · begin · app.set_user_id($1, $2) · the statement", "connection/: one libpq pipeline"),
    (
        "d",
        "app.current_user_id() judges the seal",
        "schema/: no identity, no rows; a wrong seal: an error",
    ),
    (
        "d",
        "policy: owner_id = (select app.current_user_id())",
        "policies/: forced on every table, granted by column",
    ),
    ("d", "the rows of that user, by the index that owner_id leads", "schema/: the key of each table"),
    ("b", "COMMIT; the connection goes back to the pool", "what was left behind goes with the next DISCARD ALL"),
)
"""The way of a request: ours in Python, ours in PostgreSQL; what happens and where it is written."""


def floors() -> str:
    """Return the picture of the parts: each imports what stands below it, or to its left."""
    rows = list(reversed(FLOORS))
    parts = []
    for level, names in enumerate(rows):
        size = (WIDTH - 40 - 12 * (len(names) - 1)) / len(names)
        y = 20 + level * _ROW
        for position, name in enumerate(names):
            parts.append(_box("b", 20 + position * (size + 12), y, size, name))
    words = "Each part imports what stands below it, or to its left; never upwards."
    parts.append(f'<text class="s" x="20" y="{20 + len(rows) * _ROW}">{words}</text>')
    return svg("The floors of the package", 40 + len(rows) * _ROW, parts)


def request() -> str:
    """Return the picture of a request on its way to the rows and back."""
    parts = []
    for step, (kind, what, where) in enumerate(REQUEST):
        y = 20 + step * 76
        parts.append(_box(kind, 20, y, WIDTH - 40, what))
        parts.append(f'<text class="s" x="32" y="{y + _BOX + 18}">{escape(where)}</text>')
        if step + 1 < len(REQUEST):
            parts.append(f'<path d="M{WIDTH - 60} {y + _BOX + 4}v30m-6 -8l6 8l6 -8" fill="none" class="w"/>')
    return svg("A request on its way to the rows and back", 20 + len(REQUEST) * 76, parts)


def _box(kind: str, x: float, y: float, width: float, text: str) -> str:
    return (
        f'<rect class="{kind}" x="{x:.0f}" y="{y}" width="{width:.0f}" height="{_BOX}" rx="5"/>'
        f'<text x="{x + width / 2:.0f}" y="{y + 22}" text-anchor="middle">{escape(text)}</text>'
    )


def svg(title: str, height: int, parts: list[str]) -> str:
    """Return a picture on a plate of its own, so that it can be read wherever it is shown."""
    box = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    back = f'<rect width="{WIDTH}" height="{height}" rx="8" class="p"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {box}><title>{title}</title><style>{_STYLE}</style>'
    return "\n".join([head, back, *parts, "</svg>"]) + "\n"
