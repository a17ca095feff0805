"""Interleaved transactions of many users do what a plain model says; with a defect in a policy they do not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.clusters import Database
from tests.model.connections import connected
from tests.model.machine import Machine
from tests.versions import first_of

SOAK = os.environ.get("USERSCOPE_SOAK") == "1"
EXAMPLES = 600 if SOAK else 30
"""As many are enough to find each defect."""
LENGTH = 80

OWN = "owner_id = (select app.current_user_id())"
DEFECTS = {
    "select everything": "alter policy select_own on app.todos using (true)",
    "select what is done": f"alter policy select_own on app.todos using ({OWN} or completed)",
    "select without identity": f"alter policy select_own on app.todos using ({OWN} "
    "or (select app.current_user_id()) is null)",
    "select nothing that is done": f"alter policy select_own on app.todos using ({OWN} and not completed)",
    "update everything": "alter policy update_own on app.todos using (true);"
    "alter policy select_own on app.todos using (true)",
    "bare update": "alter policy update_own on app.todos using (true) with check (true)",
    "delete everything": "alter policy delete_own on app.todos using (true)",
    "give away": "grant update (owner_id) on app.todos to app_user;"
    "alter policy update_own on app.todos with check (true)",
    "plant": "grant insert (owner_id) on app.todos to app_user;alter policy insert_own on app.todos with check (true)",
    "no row-level security": "alter table app.todos disable row level security",
    "another permissive policy": "create policy other on app.todos for select to app_user using (title = 'a')",
    "identity outlives its transaction": "create or replace function app.set_user_id"
    "(user_id text, seal text default '') returns text language sql volatile parallel unsafe security invoker "
    "return set_config('app.user_id', coalesce(user_id, ''), false)",
    "one user's id for all": "alter table app.todos drop constraint todos_pkey, add primary key (id)",
    "rows stay": "alter table app.todos drop constraint todos_owner_id_fkey",
}


@contextmanager
def machine(database: Database) -> Iterator[type[Machine]]:
    """The machine on connections to a database, which it empties."""
    with database.superuser_connection() as admin, connected(Machine, database, admin) as tested:
        yield tested


def run(tested: type[RuleBasedStateMachine], *, examples: int, phases: list[Phase]) -> None:
    run_state_machine_as_test(
        tested,
        settings=settings(
            max_examples=examples,
            stateful_step_count=LENGTH,
            deadline=None,
            database=None,
            derandomize=not SOAK,
            suppress_health_check=list(HealthCheck),
            phases=phases,
            report_multiple_bugs=False,
            print_blob=False,
        ),
    )


def no_difference(database: Database, examples: int) -> None:
    with machine(database) as tested:
        run(tested, examples=examples, phases=[Phase.generate, Phase.shrink])
        assert tested.steps >= 30 * examples


def test_no_difference(database: Database) -> None:
    """Hundreds of steps, and the model is right about each."""
    no_difference(database, EXAMPLES if SOAK else 12)


@pytest.mark.breadth
def test_no_difference_for_longer(any_database: Database) -> None:
    """Thousands of steps, on either version."""
    no_difference(any_database, EXAMPLES)


@pytest.mark.parametrize("defect", first_of(*DEFECTS))
def test_defect_is_found(database: Database, defect: str) -> None:
    """The same steps on a database with a defect find a difference."""
    with database.superuser_connection() as connection:
        connection.execute(DEFECTS[defect].encode())
    with machine(database) as tested:
        try:
            run(tested, examples=EXAMPLES, phases=[Phase.generate])
        except (AssertionError, pytest.fail.Exception, psycopg.Error):
            return
    pytest.fail(f"nothing was found in {tested.steps} steps")
