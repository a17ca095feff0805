"""Our own database: nothing is found in it, and each mutant of it that opens something is shown."""

import re
from collections.abc import Iterator

import pytest

from tests.clusters import Cluster, Database, cloned, cluster_of, deploy
from tests.fenced import add_fenced
from userscope.mutation import mutants
from userscope.mutation.mutants import Mutant
from userscope.probe import run
from userscope.probe.findings import Finding
from userscope.probe.run import Options, Result

OPENS = re.compile(
    r"(using (true|negated|or another column|or no identity): (select|delete)_own on app\.(todos|users)"
    r"|row security disabled: app\.(todos|users)$"
    r"|definer (view|function): |bypasses row security: app_(user|service|gate)$"
    r"|granted: truncate on app\.(?!account |memberships |organization )\S+ to app_user$"
    r"|owned by app_user: app\.(?!(account|memberships|organization)$)|owned as its schema: app\.account$"
    r"|becomes app_auth: app_(user|gate)$"
    r"|to app_gate: select_auth on app\.users$)"
)
"""The names of mutants by which app_user comes to reach others' rows. What is dropped, or let through to the owner or
to app_auth alone, opens nothing; nor does a policy for UPDATE whose check still holds, nor one of members or
organizations alone: the views join both, and the other still holds."""

TOGETHER = ("definer function", "definer view", "granted", "owned by app_user")
"""Operators that make the same of each table: all of one are shown in one run, each by its own object."""


def probed(database: Database) -> Result:
    return run.probe(database.cluster.url("admin", dbname=database.name), Options())


def words(result: Result) -> list[str]:
    return [f"{found.level} {found.sentence}" for found in result.findings]


@pytest.fixture(scope="module")
def ours() -> Iterator[Cluster]:
    """A server of its own: a mutant of a role is one of the whole server."""
    with cluster_of() as made:
        yield made


def test_nothing_is_found(ours: Cluster) -> None:
    """In the example as in a fenced twin of todos: every policy is met, and Alice sees her own rows."""
    with cloned(ours) as made:
        with made.superuser_connection() as connection:
            add_fenced(connection, "chores", "chore")
        result = probed(made)
    assert words(result) == []
    coverage = result.coverage
    assert (coverage.filled, coverage.met) == (coverage.tables, coverage.policies)
    assert (coverage.not_tried, coverage.too_little) == ([], [])
    sees = {thing: sees for who, thing, sees in run.matrix(result.scene) if who == "Alice (app_user)"}
    own = ("account", "chores", "memberships", "organization", "todos")
    assert sees == {f"app.{name}": "own rows" for name in own}


@pytest.mark.breadth
def test_an_owner_above_policies() -> None:
    """Who owns the tables is meant to be above policies, though making app_user makes it a member of that."""
    with cluster_of() as cluster:
        made = cluster.database("neon")
        deploy(made.url())  # makes app_user
        assert words(probed(made)) == []


@pytest.mark.breadth
def test_sealed(ours: Cluster) -> None:
    """Where seals are required, identities are sealed with a key of the run's own, which goes with it."""
    with cloned(ours) as made, made.superuser_connection() as connection:
        connection.execute("update app_private.sealing set required = true")
        result = probed(made)
        assert connection.execute("select from app_private.seal_keys").rowcount == 0
    assert words(result) == []
    assert result.coverage.too_little == []


def every(cluster: Cluster) -> list[Mutant]:
    with cluster.superuser_connection(cluster.migrated) as connection:
        return mutants.every(connection)


def shown(cluster: Cluster, mutants: list[Mutant]) -> list[Finding]:
    """The errors that are shown in a database with these defects."""
    with cloned(cluster) as made:
        try:
            with made.superuser_connection() as connection:
                for mutant in mutants:
                    for statement in mutant.ddl:
                        connection.execute(statement.replace("userscope_mutant", made_for(mutant)).encode())
            return [found for found in probed(made).findings if found.level == "error"]
        finally:
            with cluster.superuser_connection() as connection:
                for statement in (each for mutant in mutants for each in mutant.undo):
                    connection.execute(statement.encode())


def made_for(mutant: Mutant) -> str:
    """What a view or function that a mutant makes is called, so that there is room for another."""
    return f"opens_{mutant.target.partition('.')[2]}"


def about(mutant: Mutant) -> str:
    """What is to be named where a mutant that makes the same of each table is shown."""
    return made_for(mutant) if "definer" in mutant.operator else mutant.target.removeprefix("truncate on ").split()[0]


def test_a_mutant_is_shown(ours: Cluster) -> None:
    """A hole that is planted in it is shown as an error."""
    name = "using true: select_own on app.todos"
    assert shown(ours, [mutant for mutant in every(ours) if mutant.id == name])


@pytest.mark.breadth
def test_every_mutant(ours: Cluster) -> None:
    """Each mutant that opens something is shown as an error."""
    opening = [mutant for mutant in every(ours) if OPENS.match(mutant.id)]
    assert len(opening) > 50
    missed = [each for each in opening if each.operator not in TOGETHER and not shown(ours, [each])]
    for operator in TOGETHER:
        alike = [mutant for mutant in opening if mutant.operator == operator]
        told = [f"{found.object} {found.finding}" for found in shown(ours, alike)]
        missed += [each for each in alike if not any(re.search(rf"\b{re.escape(about(each))}\b", one) for one in told)]
    assert missed == []
