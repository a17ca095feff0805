"""Each defect that our operators make in our database is named, with its object, by a verification or by the audit.

Only a few of them stand by hand in tests/schema and tests/audit: what no operator makes, and how each is told.
"""

import re
from collections.abc import Iterator

import psycopg
import pytest

from tests.clusters import CHANGES, ROOT, Connection, Database
from userscope.audit.run import MATRIX, questions
from userscope.errors import MigrationError
from userscope.migrations.client import Client
from userscope.migrations.verification import refuse_changed_functions
from userscope.mutation.mutants import Mutant, every

PARTS = 4
UNNAMED = {
    "turned round: app_private.sealing": "both are meant: seals are not required, and later they are",
}
"""Mutants that nothing names, each with its reason."""

SCRIPTS = [(ROOT / project / "verify" / f"{change}.sql").read_text(encoding="utf-8") for project, change in CHANGES]
VERIFICATION = re.sub(r"^(?:begin|rollback);$", "", "\n".join(SCRIPTS), flags=re.MULTILINE).encode()
QUESTIONS = [text.encode() for name, text in questions(ROOT / "policies" / "audit").items() if name != MATRIX]


@pytest.fixture
def admin(any_database: Database) -> Iterator[Connection]:
    with any_database.superuser_connection() as connection:
        yield connection


def verified(connection: Connection) -> str:
    """What "userscope verify" has against the database: nothing, or an error."""
    try:
        refuse_changed_functions(Client(connection, lambda *_: None))
        with connection.transaction(force_rollback=True):
            connection.execute(VERIFICATION)
    except MigrationError as error:
        return str(error)
    except psycopg.errors.RaiseException as error:
        return f"{error} {error.diag.message_detail}"
    return ""


def audited(connection: Connection) -> str:
    """What the audit has against it."""
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = pg_catalog, pg_temp")
        return " ".join(str(row) for question in QUESTIONS for row in connection.execute(question))


def subject(mutant: Mutant) -> str:
    """What a mutant is about: the function or table that it names, or makes, or else the last word of its name."""
    made = re.match(r"create (?:view|function) (app\.\w+)", mutant.ddl[0])
    named = made or re.search(r"\b(app\w*\.\w+)", mutant.target)
    return named[1] if named else mutant.target.split()[-1]


def test_nothing_is_wrong(admin: Connection) -> None:
    """Control: neither has anything against the database as it is."""
    assert (verified(admin), audited(admin)) == ("", "")


@pytest.mark.parametrize("part", range(PARTS))
def test_named(admin: Connection, part: int) -> None:
    """A defect is named by one of the two, or stands above with its reason."""
    mutants = every(admin, [ROOT / "schema" / "mutants"])[part::PARTS]
    assert len(mutants) > 200
    unnamed: set[str] = set()
    for mutant in mutants:
        with admin.transaction(force_rollback=True):
            for statement in mutant.ddl:
                admin.execute(statement.encode())
            if not any(subject(mutant) in told(admin) for told in (verified, audited)):
                unnamed.add(mutant.id)
    assert unnamed == {mutant.id for mutant in mutants} & UNNAMED.keys()
