"""A change becomes a list of messages, by a pure function: here is the whole of it for one small change."""

from pathlib import Path

from tests.migrations.sketch import Sketch, write
from userscope.migrations import script, statements
from userscope.migrations.registry.read import Deployed
from userscope.migrations.registry.write import SYNC, Batch, Registry
from userscope.migrations.statements import Deployment, Timeouts

REGISTRY = Registry('my "own"', "Ada", "ada@example.com")
FORGET = ["unlisten *", "close all", "deallocate all", "discard temp", "discard sequences", "discard plans"]
FRESH = ["reset session authorization", "reset role", "reset all", "select pg_catalog.set_config"]


def deployment(folder: Path, sketch: Sketch) -> Deployment:
    """A deployment of the last change of a project."""
    project = write(folder, Sketch.table("first"), sketch, "@v1")
    change = project.plan.changes[-1]
    kinds: tuple[script.Kind, ...] = ("deploy", "verify", "revert")
    deploy, verify, revert = (script.load(project.script_of(kind, change), kind) for kind in kinds)
    return Deployment(
        project, change, "hash", tuple((needed, "id") for needed in change.requires), deploy, verify, revert
    )


def told(trip: Batch) -> list[str]:
    """The messages, shortened to what tells them apart."""
    return ["SYNC" if message is SYNC else _first_words(message.sql) for message in trip]


def _first_words(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return " ".join(lines).split("(")[0].strip()


def test_one_transaction(tmp_path: Path) -> None:
    """Script, verification and rows are one trip and one transaction; its commit is the last word."""
    made = deployment(tmp_path / "p", Sketch.table("b", "first !q:x"))
    trips = statements.deploy(made, REGISTRY, Timeouts())
    assert [told(trip) for trip in trips] == [
        [
            *FORGET,
            *FRESH,
            "SYNC",
            "begin",
            'lock table "my ""own""".changes in exclusive mode',
            "create table public.b",
            "set constraints all immediate",
            *FORGET,
            *FRESH,
            "with given as",
            "savepoint userscope_verification",
            "select id from public.b where false",
            "rollback to savepoint userscope_verification",
            *FRESH,
            "select pg_catalog.pg_try_advisory_lock",
            'insert into "my ""own""".changes',
            'insert into "my ""own""".dependencies',
            'insert into "my ""own""".dependencies',
            'insert into "my ""own""".tags',
            'insert into "my ""own""".events',
            "commit",
        ]
    ]


def test_parameters(tmp_path: Path) -> None:
    """What comes from plans travels as parameters, never as SQL."""
    made = deployment(tmp_path / "p", Sketch.table("b", "first !q:x"))
    rows = made.rows(REGISTRY)
    planned = ("2026-01-01T01:00:00Z", "Ada Love", "ada@example.com")
    by = ("Ada", "ada@example.com")
    change = made.change
    assert [message.params for message in rows] == [
        (change.id, "hash", "b", "p", "", *by, *planned),
        (change.id, "require", "first", "id"),
        (change.id, "conflict", "q:x", None),
        (change.tags[0].id, "@v1", "p", change.id, "", *by, "2026-01-01T02:00:00Z", *planned[1:]),
        ("deploy", change.id, "b", "p", "", '{"@v1"}', '{"first"}', '{"q:x"}', *by, *planned),
    ]


def test_statement_by_statement(tmp_path: Path) -> None:
    """A script that is no transaction travels statement by statement, without a time limit for locks."""
    sketch = Sketch("b", "create table public.b ();\nvacuum;\n", "drop table public.b;", "select 1;")
    made = deployment(tmp_path / "p", sketch)
    first, *rest = statements.deploy(made, REGISTRY, Timeouts())
    assert first[-1].params == ("0", "0")
    assert [told(trip) for trip in rest] == [
        ["create table public.b"],
        ["vacuum"],
        [*FORGET, *FRESH, "SYNC", "with given as"],
    ]
    assert told(statements.record(made, REGISTRY, Timeouts()))[-5:] == [
        'lock table "my ""own""".changes in exclusive mode',
        'insert into "my ""own""".changes',
        'insert into "my ""own""".tags',
        'insert into "my ""own""".events',
        "commit",
    ]


def test_revert(tmp_path: Path) -> None:
    """A revert is one transaction as well: the script, the event, and the rows gone."""
    made = deployment(tmp_path / "p", Sketch.table("b"))
    (trip,) = statements.revert(Deployed("id", "b", "p", ""), made.revert, REGISTRY, Timeouts())
    assert told(trip)[-7:] == [
        "select pg_catalog.set_config",
        "select pg_catalog.pg_try_advisory_lock",
        "with given as",
        'insert into "my ""own""".events',
        'delete from "my ""own""".tags where change_id = $1',
        'delete from "my ""own""".changes where change_id = $1',
        "commit",
    ]
    assert told(trip)[len(FORGET) + len(FRESH) + 1] == "begin"
