"""What stands before a fenced table: a view of its name in ``app``, and what reads and writes for it."""

import hashlib
import re
from collections.abc import Mapping, Sequence

from userscope.errors import ConfigurationError
from userscope.generate.columns import Column
from userscope.generate.text import Text

# Without an equality operator nobody can tell whether a row is still the one that was seen.
_INCOMPARABLE = ("json", "xml")
_PARTS = {
    "fence_made": "fence.made.sql",
    "fence_dropped": "fence.dropped.sql",
    "fence_verified": "fence.verified.sql",
    "fence_opened": "fence.opened.sql",
    "fence_closed": "fence.closed.sql",
    "fence_open": "fence.open.sql",
    "fence_test": "fence.{tests}test.py.txt",
}
_QUOTED = re.compile(r"^as \$\$(.*?)^\$\$;", re.MULTILINE | re.DOTALL)
# How PostgreSQL writes the bodies that stand without quotes, when it is asked.
_BY_ID = """BEGIN ATOMIC
 SELECT {rows}
    FROM app_fenced.{table} t
   WHERE (t.id = {table}_by_id.wanted);
END"""
_PAGE = """BEGIN ATOMIC
 SELECT {rows}
    FROM app_fenced.{table} t
   WHERE (ROW(t.created_at, t.id) < ROW({table}_page.before, {table}_page.before_id))
   ORDER BY t.created_at DESC, t.id DESC
  LIMIT {table}_page.size;
END"""


def refuse_incomparable(spellings: Sequence[str]) -> None:
    """Raise ConfigurationError for a column that a fence cannot keep."""
    for spelling in spellings:
        kind = spelling.partition(":")[2].partition(":")[0]
        if kind in _INCOMPARABLE:
            raise ConfigurationError(
                f'"{spelling}" cannot be fenced',
                detail=f"{kind} has no equality operator: a change by another transaction could not be noticed.",
                hint="Use jsonb." if kind == "json" else "Use text.",
            )


def words(table: str, columns: Sequence[Column], plain: Mapping[str, str], *, tests: str) -> dict[str, str]:
    """Return what the templates need beside ``plain``, those of any table; ``tests`` begins its tests' templates."""
    written = [column.name for column in columns]
    every = plain["every"].split(", ")
    seen = every[2:]  # all but its key
    known = {
        **plain,
        "home": "app_fenced",
        "role": "app_gate",
        "kind": "view",
        "granted": '(("app", "app_user"), ("app_fenced", "app_gate"))',
        "defaults": "".join(f",\n    alter {c.name} set default {c.default}" for c in columns if c.default),
        "new_written": _listed("new.", written),
        "set_written": ", ".join(f"{name} = new.{name}" for name in written),
        "t_every": _listed("t.", every),
        "t_seen": _listed("t.", seen),
        "old_seen": _listed("old.", seen),
        "view_facts": "\n".join(f"    {fact}" for fact in _view_facts(columns)),
        "fence_index": f"    CREATE INDEX {table}_{every[0]}_created_at_id_idx ON app_fenced.{table} USING btree "
        f"({every[0]}, created_at, id)\n",
    }
    known["still"] = (
        f" and ({known['t_seen']})\n               is distinct from ({known['old_seen']})" if plain["still"] else ""
    )
    (written_body,) = _QUOTED.findall(Text.read("fence.made.sql").substitute(known))
    rows = ",\n     ".join(f"t.{name}" for name in every)
    known["write_md5"] = _md5(written_body)
    known["by_id_md5"] = _md5(_BY_ID.format(rows=rows, table=table))
    known["page_md5"] = _md5(_PAGE.format(rows=rows, table=table))
    parts = {part: Text.read(file.format(tests=tests)).substitute(known) for part, file in _PARTS.items()}
    return known | parts | {"gifts": Text.read(f"fence.{tests}gifts.py.txt").substitute(known)}


def no_words(plain: Mapping[str, str], *, tests: str) -> dict[str, str]:
    """Return what the templates need beside ``plain`` for a table without a fence."""
    known = {"home": "app", "role": "app_user", "kind": "table", "granted": '[("app", "app_user")]', "fence_index": ""}
    gifts = Text.read(f"{tests}gifts.py.txt").substitute(plain)
    return {**plain, **known, **dict.fromkeys(_PARTS, ""), "gifts": gifts}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _listed(prefix: str, names: Sequence[str]) -> str:
    return ", ".join(prefix + name for name in names)


def _view_facts(columns: Sequence[Column]) -> list[str]:
    """What a verification finds of the view's columns that have a default."""
    defaults = [("id", "uuid", "gen_random_uuid()"), *((c.name, c.type, c.default) for c in columns)]
    return [f"column {name} {kind} default {default}" for name, kind, default in defaults if default]
