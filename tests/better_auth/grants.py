"""What app_auth may do, and for which step of a person's way through Better Auth it needs that."""

import json
import re
from itertools import groupby
from typing import Literal

from tests.better_auth.programs import run
from tests.clusters import Database

type Journey = Literal["journey", "teams"]

# What no step needs, and why it stands all the same.
REASONS: dict[Journey, dict[str, str]] = {
    "journey": {
        "insert on app.users (id)": "a profile keyed by another provider's id, as Neon Auth's; `Accounts` makes it",
        "execute on app.seal_required()": "`Accounts` asks, as every service does before it serves",
    },
    "teams": {},
}

_PRIVILEGES = """
select * from (
select lower(privilege_type), 'app.' || relname, attname::text
  from pg_class join pg_attribute on attrelid = pg_class.oid, aclexplode(attacl)
 where relnamespace = 'app'::regnamespace and grantee = 'app_auth'::regrole
union all
select lower(privilege_type), 'app.' || relname, null
  from pg_class, aclexplode(relacl)
 where relnamespace = 'app'::regnamespace and grantee = 'app_auth'::regrole
union all
select 'execute', 'app.' || proname || '(' || pg_get_function_identity_arguments(pg_proc.oid) || ')', null
  from pg_proc, aclexplode(proacl)
 where pronamespace = 'app'::regnamespace and grantee = 'app_auth'::regrole
union all
select 'usage', 'schema app', null
  from pg_namespace, aclexplode(nspacl)
 where nspname = 'app' and grantee = 'app_auth'::regrole
) as privileges (privilege, target, of_column)
 where (target in ('app.organizations', 'app.members', 'app.invitations')
        or of_column is not distinct from 'active_organization_id') = %s
 order by 2, 1, 3
"""


def privileges(database: Database, journey: Journey) -> list[dict[str, str]]:
    """Every single one on what a journey is about: its name, and how to take it and to give it back."""
    with database.superuser_connection() as superuser:
        found = superuser.execute(_PRIVILEGES, [journey == "teams"]).fetchall()
    made = []
    for privilege, target, column in found:
        what = f"{privilege} ({column})" if column else privilege
        on = f"function {target}" if privilege == "execute" else target
        made.append(
            {
                "name": f"{privilege} on {target}{f' ({column})' if column else ''}",
                "revoke": f"revoke {what} on {on} from app_auth",
                "grant": f"grant {what} on {on} to app_auth",
            }
        )
    return made


def needed(database: Database, journey: Journey) -> dict[str, str | None]:
    """For each privilege the first step that breaks without it, or None; with all of them, every step works."""
    given = {"journey": journey, "privileges": privileges(database, journey)}
    *_mails, last = run("grants.js", database, json.dumps(given)).splitlines()
    found: dict[str, str | None] = json.loads(last)
    return found


def table(journey: Journey, breaks: dict[str, str | None]) -> str:
    """What the page says: each privilege, and the first step that breaks without it or why it stands."""
    rows = []
    for name, step in breaks.items():
        match = re.fullmatch(r"(\w+) on (\S+?)(?: \((\w+)\))?", name.replace("schema app", "app"))
        assert match, name
        rows.append((match[2], match[1], step or f"*{REASONS[journey][name]}*", match[3]))
    whole = {target: {column for on, may, _, column in rows if (on, may) == (target, "select")} for target, *_ in rows}
    lines = ["| on | may | or else this breaks |", "|---|---|---|"]
    for (target, privilege, why), group in groupby(sorted(rows, key=_order), key=lambda row: row[:3]):
        names = [column for *_, column in group if column]
        columns = "every column" if len(names) > 1 and set(names) == whole[target] else ", ".join(names)
        lines.append(f"| {target} | {privilege}{f' ({columns})' if columns else ''} | {why} |")
    return "\n".join([*lines, ""])


def _order(row: tuple[str, str, str, str | None]) -> tuple[str, int, str]:
    commands = ["usage", "execute", "select", "insert", "update", "delete"]
    return row[0], commands.index(row[1]), row[2]
