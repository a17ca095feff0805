"""``userscope protect``: as two changes, one revision or a script, each deployed and taken back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from tests.cli.runner import Runner, ledger
from tests.clusters import Connection, Database
from tests.migrations.sqitch import COMMITTER
from userscope.migrations.projects import KINDS

TABLE = """
create table public.item (id bigint generated always as identity primary key, owner_id uuid not null, title text);
create table public.comment (id bigint generated always as identity primary key, item_id bigint references public.item);
insert into public.item (owner_id) select gen_random_uuid();
"""
ENV = """
from alembic import context
from sqlalchemy import NullPool, create_engine

url = context.config.get_main_option("sqlalchemy.url")
with create_engine(url, poolclass=NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
POLICIES = "select polname from pg_policy where polrelid = 'public.item'::regclass order by 1"
OWN = ["delete_own", "insert_own", "select_own", "update_own"]


def policies(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute(POLICIES.encode())]


@pytest.fixture
def existing(
    folder: Path, database: Database, capfd: pytest.CaptureFixture[str]
) -> Iterator[tuple[Runner, Connection]]:
    """The command line beside an application whose database userscope was deployed to, and the owner's connection."""
    with database.connect() as owner:
        owner.execute(TABLE.encode())
        yield Runner(folder, capfd, ADMIN_DATABASE_URL=database.url().text(), **COMMITTER), owner


def test_sqitch(cli: Runner, empty: Database) -> None:
    """Two changes in a pair of one's own: deployed, verified, found whole, and taken back."""
    for name in ("db/schema", "db/policies"):
        (cli.folder / name).mkdir(parents=True)
        plan = f"%syntax-version=1.0.0\n%project=shop_{name.rpartition('/')[2]}\n\n"
        (cli.folder / name / "sqitch.plan").write_text(plan, encoding="utf-8")
    cli("migrate", "--to", "policies:access")
    with empty.connect() as owner:
        owner.execute(TABLE.encode())
        words = ("--project", "db")
        done = cli("protect", "public.item", "--owner", "owner_id", *words)
        assert done.stdout.splitlines() == [
            "  + db/schema/sqitch.plan", "  + db/policies/sqitch.plan",
            *(f"  + db/{part}/{kind}/item.sql" for part in ("schema", "policies") for kind in KINDS),
            "Rows of public.item are whose owner_id names. What this does not change:",
            "  ! table public.comment refers to it, and is not protected",
            "    userscope protect public.comment --through item_id",
            'Next: read what was written, and run "userscope migrate --project db".',
        ]  # fmt: skip
        assert policies(owner) == []
        done = cli(
            "protect", "public.comment", "--through", "item_id", "--owner", "owner_id", "--without-owner", *words
        )
        assert "  ! public.item is not protected yet, and says whose these rows are\n" in done.stdout
        assert "requires: item" in (cli.folder / "db/policies/deploy/comment.sql").read_text(encoding="utf-8")
        before = {path: path.read_bytes() for path in cli.folder.rglob("*") if path.is_file()}
        assert "is there already" in cli("protect", "public.item", "--owner", "owner_id", *words, code=2).stderr
        assert (
            "is not protected, so there is"
            in cli("protect", "public.item", "--owner", "owner_id", "--revert", *words, code=2).stderr
        )
        assert {path: path.read_bytes() for path in cli.folder.rglob("*") if path.is_file()} == before
        labels = [f"shop_{project}:{name}" for name in ("item", "comment") for project in ("schema", "policies")]
        assert {line.split()[1] for line in ledger(cli("migrate", *words).stdout)} == set(labels)
        assert policies(owner) == OWN
        assert "not as it was" not in cli("verify", *words).stdout
        again = cli("protect", "public.item", *words)
        assert (again.stdout, again.stderr) == ("", "public.item is protected already.\n")
        back = cli("protect", "public.item", "--revert", *words).stdout
        assert back.splitlines()[:2] == ["  = db/policies/revert/item.sql", "  = db/schema/revert/item.sql"]
        cli("revert", "--all", "--yes", *words)
        assert policies(owner) == []


@pytest.mark.breadth
def test_organization(cli: Runner, empty: Database) -> None:
    """Two changes that stand on ours of organizations: deployed, verified and found whole."""
    for name in ("db/schema", "db/policies"):
        (cli.folder / name).mkdir(parents=True)
        plan = f"%syntax-version=1.0.0\n%project=shop_{name.rpartition('/')[2]}\n\n"
        (cli.folder / name / "sqitch.plan").write_text(plan, encoding="utf-8")
    cli("migrate")
    words = ("--project", "db")
    with empty.connect() as owner:
        owner.execute(TABLE.encode())
        done = cli("protect", "public.item", "--owner", "owner_id", "--organization", *words)
        assert "Rows of public.item are the organization's that owner_id names." in done.stdout
        planned = (cli.folder / "db/policies/sqitch.plan").read_text(encoding="utf-8")
        assert "item [policies:access policies:organizations shop_schema:item]" in planned
        cli("migrate", *words)
        assert policies(owner) == OWN
        assert "not as it was" not in cli("verify", *words).stdout
        assert cli("protect", "public.item", *words).stderr == "public.item is protected already.\n"


def test_alembic(existing: tuple[Runner, Connection]) -> None:
    """One revision after the newest: up, down and, once it is up, another one that opens what it closed."""
    cli, owner = existing
    protect = ("protect", "public.item", "--format", "alembic")
    assert "holds no alembic.ini" in cli(*protect, "--owner", "owner_id", code=2).stderr
    config = Config(str(cli.folder / "alembic.ini"))
    config.set_main_option(
        "sqlalchemy.url", url := cli.environment["ADMIN_DATABASE_URL"].replace("postgresql", "postgresql+psycopg", 1)
    )
    command.init(config, str(cli.folder / "alembic"))
    (cli.folder / "alembic" / "env.py").write_text(ENV, encoding="utf-8")
    config = Config(str(cli.folder / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    assert "HINT:  Say --format alembic" in cli("protect", "public.item", "--owner", "owner_id", code=2).stderr
    done = cli(*protect, "--owner", "owner_id")
    assert "\n    userscope protect public.comment --through item_id --format alembic\n" in done.stdout
    (name,) = re.findall(r"^  \+ (alembic/versions/\w+_protect_public_item.py)$", done.stdout, re.MULTILINE)
    assert (
        'Name the index in the model as well, or autogenerate drops it: Index("item_owner_id_idx", "owner_id").'
        in done.stdout
    )
    assert f'written already: "{cli.folder / name}"' in cli(*protect, "--owner", "owner_id", code=2).stderr
    compile((cli.folder / name).read_text(encoding="utf-8"), name, "exec")
    command.upgrade(config, "head")
    assert policies(owner) == OWN
    command.downgrade(config, "base")
    assert policies(owner) == []
    command.upgrade(config, "head")
    cli(*protect, "--revert")
    command.upgrade(config, "head")
    assert policies(owner) == []
    command.downgrade(config, "-1")
    assert policies(owner) == OWN


def test_sql(existing: tuple[Runner, Connection]) -> None:
    """A script on standard output, and its way back; what is said beside it is no part of it."""
    cli, owner = existing
    there = cli("protect", "public.item", "--owner", "owner_id", "--format", "sql")
    back = cli("protect", "public.item", "--owner", "owner_id", "--format", "sql", "--revert").stdout
    assert "What this does not change:" in there.stderr
    (cli.folder / "pyproject.toml").write_text("[tool.userscope]\ndistributed = true\n", encoding="utf-8")
    on_citus = cli("protect", "public.item", "--owner", "owner_id", "--format", "sql")
    assert (on_citus.stdout, on_citus.stderr.removeprefix(there.stderr).partition(";")[0]) == (
        there.stdout,
        "On Citus public.item stays on the coordinator until a migration says: "
        "select app_private.distribute('public.item', 'owner_id')",
    )
    owner.execute(there.stdout.encode())
    assert policies(owner) == OWN
    assert cli("protect", "public.item", "--format", "sql", "--revert").stdout == back
    owner.execute(back.encode())
    assert policies(owner) == []
