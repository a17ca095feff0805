"""Each defect that our operators make in our database is named, with its object, by a verification or by the audit.

Only a few of them stand by hand in tests/schema and tests/audit: what no operator makes, and how each is told.
"""

import re
from collections.abc import Iterator

import psycopg
import pytest

from tests.clusters import CHANGES, MAIN, ROOT, Connection, Database, both_ends, lone
from tests.mutation.running import planted
from userscope.audit.run import MATRIX, questions
from userscope.errors import MigrationError
from userscope.migrations.client import Client
from userscope.migrations.verification import question as functions_question
from userscope.migrations.verification import refuse_changed_functions
from userscope.mutation.mutants import Mutant, every

PARTS = 2
UNNAMED = {
    "revoked: execute on function app_fenced.write_account() from app_gate": "its owner's own; a trigger asks for none",
    "turned round: app_private.sealing": "both are meant: seals are not required, and later they are",
}
"""Mutants that nothing names, each with its reason."""

SCRIPTS = [
    re.sub(r"(?m)^(?:begin|rollback);$", "", (ROOT / project / "verify" / f"{change}.sql").read_text(encoding="utf-8"))
    for project, change in CHANGES
]
QUESTIONS = {name: text for name, text in questions(ROOT / "policies" / "audit").items() if name != MATRIX}

AUDITED = {
    "row security disabled: app.": "rls_disabled", "row security disabled: app_private.": "sealing",
    "row security not forced: ": "rls_not_forced", "owned by ": "role_owner", "bypasses row security: ": "role_bypass",
    "definer view: ": "view_definer", "definer function: ": "function_definer", "with statistics: ": "statistics",
    "to public: ": "policy_to_public",
    "using true: ": "policy_open", "using negated: ": "policy_open",
    "using or no identity: ": "policy_open", "using or another column: ": "policy_open",
    "with check true: ": "policy_open", "with check negated: ": "policy_open",
    "with check or no identity: ": "policy_open", "with check or another column: ": "policy_open",
    "policy dropped: ": "grant_without_policy", "permissive or restrictive: ": "grant_without_policy",
    "granted: truncate on app.": "grant_dangerous", "granted: references on app.": "grant_dangerous",
    "granted: trigger on app.": "grant_dangerous", "granted: select on app_private.": "grant_private",
    "granted to public: select on app.todos": "grant_whole_table", "ignores ": "identity_changed",
    "accepts ": "identity_changed", "falls open: ": "identity_changed", "only reads ": "identity_changed",
    "constant: ": "identity_changed", "row deleted: ": "sealing",
}  # fmt: skip
"""How the names of mutants begin that a question finds alone, in databases without our verifications too."""


@pytest.fixture(scope="module", params=both_ends(MAIN, 15))
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Mutants and audit see the roles of every test beside them."""
    with lone(version=request.param) as made:
        yield made


@pytest.fixture
def admin(database: Database) -> Iterator[Connection]:
    with database.superuser_connection() as connection:
        yield connection


def verified(connection: Connection, first: str = "") -> Iterator[str]:
    """What "userscope verify" has against the database, the errors of scripts that speak of ``first`` first."""
    for script in sorted(SCRIPTS, key=lambda script: -script.count(first)):
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(script.encode())
        except psycopg.errors.RaiseException as error:
            yield f"{error} {error.diag.message_detail}"
    try:
        refuse_changed_functions(Client(connection, lambda *_: None).run([functions_question()])[0])
    except MigrationError as error:
        yield str(error)


def audited(connection: Connection, *names: str) -> str:
    """What the audit has against it: all of its questions, or those that are named."""
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = pg_catalog, pg_temp")
        asked = [QUESTIONS[name].encode() for name in names or QUESTIONS]
        return " ".join(str(row) for question in asked for row in connection.execute(question))


def subject(mutant: Mutant) -> str:
    """What a mutant is about: the function or table that it names, or makes, or else the last word of its name."""
    made = re.match(r"create (?:view|function) (app\.\w+)", mutant.ddl[0])
    named = made or re.search(r"\b(app\w*\.\w+)", mutant.target)
    return named[1] if named else mutant.target.split()[-1]


def test_nothing_is_wrong(admin: Connection) -> None:
    """Control: neither has anything against the database as it is."""
    assert ([*verified(admin)], audited(admin)) == ([], "")


@pytest.mark.breadth
@pytest.mark.parametrize("part", range(PARTS))
def test_named(admin: Connection, part: int) -> None:
    """A defect is named by the one question that is about it, by a verification or the audit, or stands above."""
    mutants = every(admin, [ROOT / "schema" / "mutants"])
    assert [start for start in AUDITED if not any(mutant.id.startswith(start) for mutant in mutants)] == []
    unnamed: set[str] = set()
    for mutant in mutants[part::PARTS]:
        alone = [question for start, question in AUDITED.items() if mutant.id.startswith(start)]
        with planted(admin, mutant):
            if not any(subject(mutant) in told for told in tellings(admin, subject(mutant), alone)):
                unnamed.add(mutant.id)
    assert unnamed == {mutant.id for mutant in mutants[part::PARTS]} & UNNAMED.keys()


def tellings(connection: Connection, about: str, alone: list[str]) -> Iterator[str]:
    """What is told, one after another: by the questions that have to find it alone, or else by all there is."""
    if alone:
        yield audited(connection, *alone)
    else:
        yield from verified(connection, about)
        yield audited(connection)
