"""What a fence is without one of its parts; each must be found."""

from dataclasses import replace

from tests.clusters import Connection
from tests.search.words import SECRETS, Table
from tests.search.worlds import Change

_COLUMNS = ", ".join(SECRETS.columns)


def _sql(*statements: str) -> Change:
    def change(superuser: Connection) -> None:
        for statement in statements:
            superuser.execute(statement.encode())

    return change


FAULTS: dict[str, tuple[Change, Table]] = {
    "offset 0 gone": (
        _sql(
            f"create or replace view app.secrets with (security_barrier) as select {_COLUMNS} from app_fenced.secrets"
        ),
        SECRETS,
    ),
    "security_barrier gone, and statistics on": (
        _sql(
            "alter view app.secrets reset (security_barrier)",
            f"alter table app_fenced.secrets {', '.join(f'alter {column} set statistics -1' for column in SECRETS.columns)}",
        ),
        SECRETS,
    ),
    "a right on the base": (
        _sql(
            "grant usage on schema app_fenced to app_user",
            f"grant select ({_COLUMNS}), update (title), delete on app_fenced.secrets to app_user",
            *(
                f"alter policy {command}_own on app_fenced.secrets to app_gate, app_user"
                for command in ("select", "update", "delete")
            ),
        ),
        replace(SECRETS, name="app_fenced.secrets", updates=("title",), inserts=()),
    ),
    "the view owned by its table's owner": (_sql("alter view app.secrets owner to current_user"), SECRETS),
}
"""The change that makes the fault, and the table to aim at."""
