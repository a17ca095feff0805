"""Interleaved transactions in several organizations do what a plain model says; with a defect they do not."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from hypothesis import Phase

from tests.clusters import Database
from tests.model.connections import connected
from tests.model.teams import Machine
from tests.model.test_stateful import EXAMPLES, run
from userscope.generate.team import TeamTable

pytestmark = pytest.mark.breadth

OWN = "organization_id = (select app.current_organization_id())"
CLAIMED = "organization_id = nullif(current_setting('app.organization_id', true), '')::uuid"
DEFECTS = {
    "select everything": "alter policy select_own on app.model_boards using (true)",
    "believe the claim": f"alter policy select_own on app.model_boards using ({CLAIMED})",
    "write what is claimed": f"alter policy update_own on app.model_boards using ({CLAIMED}) with check (true);"
    f"alter policy select_own on app.model_boards using ({CLAIMED})",
    "every member deletes": f"alter policy delete_own on app.model_boards using ({OWN})",
    "plant": "alter policy insert_own on app.model_boards with check (true);"
    "alter table app.model_boards alter organization_id "
    "set default nullif(current_setting('app.organization_id'), '')::uuid",
    "give away": "grant update (organization_id) on app.model_boards to app_user;"
    "alter policy update_own on app.model_boards with check (true)",
    "one organization's id for all": "alter table app.model_boards drop constraint model_boards_pkey;"
    "create unique index on app.model_boards (id) where name = 'b'",
    "the claim outlives its transaction": "create or replace function app.set_organization_id(organization_id text) "
    "returns text language sql volatile parallel unsafe security invoker "
    "return set_config('app.organization_id', organization_id, false)",
    "everybody's memberships": "alter policy select_own on app.members using (true)",
    "rows stay": "alter table app.model_boards drop constraint model_boards_organization_id_fkey",
}


@contextmanager
def machine(database: Database, defect: str = "") -> Iterator[type[Machine]]:
    """The machine on connections to a database, in which it makes its table."""
    table = TeamTable.of_organization("model_boards", ["name:text:100"], delete_by="admin")
    with database.connect() as owner:
        for project in ("schema", "policies"):
            owner.execute(table.scripts("schema", "policies")[project, "deploy"].encode())
    with database.superuser_connection() as admin:
        if defect:
            admin.execute(defect.encode())
        with connected(Machine, database, admin) as tested:
            yield tested


def test_no_difference(any_database: Database) -> None:
    """Thousands of steps, and the model is right about each."""
    with machine(any_database) as tested:
        run(tested, examples=EXAMPLES, phases=[Phase.generate, Phase.shrink])
        assert tested.steps >= 15 * EXAMPLES


@pytest.mark.parametrize("defect", DEFECTS)
def test_defect_is_found(database: Database, defect: str) -> None:
    """The same steps on a database with a defect find a difference."""
    with machine(database, DEFECTS[defect]) as tested:
        try:
            run(tested, examples=EXAMPLES, phases=[Phase.generate])
        except (AssertionError, psycopg.Error):
            return
    pytest.fail(f"nothing was found in {tested.steps} steps")
