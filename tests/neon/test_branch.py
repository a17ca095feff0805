"""A branch is a copy of everything: it needs no migration, and it shares passwords and keys until they are changed."""

from collections.abc import Iterator

import pytest
from sqlmodel import select

from tests.neon.conftest import MakeRunner, Service
from tests.neon.rig import OWNER
from userscope import Database, Todo
from userscope.admin import seals
from userscope.errors import ConfigurationError, SealRejected


@pytest.fixture
def branch(service: Service) -> Iterator[Service]:
    """A branch of the project, as its service sees it with the parent's configuration, but for the host."""
    with service.project.branch() as made:
        yield Service(made, service.key)


@pytest.mark.breadth
def test_branch(make_runner: MakeRunner, service: Service, branch: Service) -> None:
    """Deployed, verified and sealed as the parent; what one writes afterwards, the other does not see."""
    alice = service.user("alice")
    runner = make_runner(ADMIN_DATABASE_URL=branch.project.text(OWNER))
    for command in ("status", "verify", "audit"):
        runner(command)  # a branch has the database's ACL as well
    bob = branch.user("bob")
    with Database(branch.settings()) as db, db.session(bob) as session:
        session.add(Todo(title="on the branch"))
    assert branch.titles(bob) == ["on the branch"]
    assert service.titles(bob) == []
    with Database(branch.settings()) as db, db.session(alice) as session:
        assert session.exec(select(Todo)).all() == []


@pytest.mark.breadth
def test_shares(service: Service, branch: Service) -> None:
    """The trap: the parent's passwords and key open the branch, until the branch gets its own."""
    carol = branch.user("carol")
    with Database(branch.settings()) as db, db.session(carol) as session:
        session.add(Todo(title="carol's"))

    admin = branch.project.url(OWNER)
    fresh, _ = seals.add(admin)
    seals.retire(admin, service.key.partition(":")[0])
    with Database(branch.settings()) as db, pytest.raises(SealRejected), db.reader(carol) as session:
        session.exec(select(Todo)).all()
    with Database(branch.settings(userscope_seal_key=fresh.text())) as db, db.reader(carol) as session:
        assert [todo.title for todo in session.exec(select(Todo))] == ["carol's"]

    with branch.project.connect() as owner:
        owner.execute("alter role todo_service password 'of-this-Branch-only-7'")
    with (
        Database(branch.settings(userscope_seal_key=fresh.text())) as db,
        pytest.raises(ConfigurationError, match="refused the login"),
        db.reader(carol) as session,
    ):
        session.exec(select(Todo)).all()

    dave = service.user("dave")  # the parent noticed nothing
    with Database(service.settings()) as db, db.session(dave) as session:
        session.add(Todo(title="dave's"))
    assert service.titles(dave) == ["dave's"]
