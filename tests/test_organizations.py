"""Organizations makes, fills and ends organizations as the identity provider's login; by whom decides what it does."""

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from userscope.errors import (
    BrokenConstraint,
    Conflict,
    InvalidOrganizationId,
    InvalidUserId,
    InvalidValue,
    InvitationOver,
    NotInvited,
    NotMember,
    NotPermitted,
    UnknownReference,
    UserscopeError,
)
from userscope.models import CurrentOrganization, Organization, User, colleagues, my_invitations
from userscope.organizations import AsyncOrganizations, Organizations
from userscope.testing import AsyncSandbox, Sandbox


class World:
    """Acme, with an owner, an admin and a member, an invited guest, and somebody who has nothing to do with it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.organizations = sandbox, sandbox.organizations
        self.owner, self.admin, self.member, self.guest, self.stranger = (
            sandbox.accounts.create(f"{name}@example.org", name=name, email_verified=True)
            for name in ("owner", "admin", "member", "guest", "stranger")
        )
        self.acme = self.organizations.create("Acme", slug="acme", owner=self.owner.id)
        for user, role in ((self.admin, "admin"), (self.member, "member")):
            self.organizations.accept(self.invited(user, role), user.id)
        self.invitation = self.invited(self.guest)

    def invited(self, user: User, role: str = "member", **options: Any) -> UUID:
        return self.organizations.invite(self.acme.id, user.email, role=role, by=self.owner.id, **options).id

    def roles(self, acting: User | None = None) -> dict[str, str]:
        """Who belongs to it, as a member sees it."""
        with self.sandbox.reading_as(acting or self.owner, organization_id=self.acme.id) as session:
            return {each.name: each.role for each in session.exec(colleagues()).all()}


EVERYBODY = {"owner": "owner", "admin": "admin", "member": "member"}


@pytest.fixture
def world(userscope: Sandbox) -> World:
    """A database with Acme in it."""
    return World(userscope)


def test_from_nothing_to_a_team(userscope_async: AsyncSandbox) -> None:
    """AsyncOrganizations takes a team all the way: founded, filled, seen by its members, handed on, ended."""

    async def journey() -> None:
        sandbox, organizations = userscope_async, userscope_async.organizations
        alice = await sandbox.user("Alice")
        bob = await sandbox.accounts.create("bob@example.org", name="Bob", email_verified=True)
        acme = await organizations.create("Acme", slug="acme", owner=alice.id, metadata='{"plan": "team"}')
        assert await organizations.get(acme.id) == acme
        assert acme.metadata_ == '{"plan": "team"}'
        assert (await organizations.update(acme.id, by=alice.id, name="Acme Ltd")).name == "Acme Ltd"
        made = await organizations.invite(acme.id, "BOB@example.org", by=alice.id)
        assert await organizations.invitations(acme.id, by=alice.id) == [made]
        async with sandbox.reading_as(bob) as session:
            (mine,) = (await session.exec(my_invitations())).all()
        assert (mine.id, mine.name, mine.inviter, mine.role) == (made.id, "Acme Ltd", "Alice", "member")
        assert (await organizations.accept(mine.id, bob.id)).role == "member"
        changed = await organizations.change_role(acme.id, bob.id, "member,admin", by=alice.id)
        assert changed is not None
        assert changed.role == "member,admin"
        await organizations.transfer(acme.id, bob.id, by=alice.id)
        async with sandbox.reading_as(bob, organization_id=acme.id) as session:
            seen = {each.name: each.role for each in (await session.exec(colleagues())).all()}
        assert seen == {"Alice": "admin", "Bob": "owner"}
        assert await organizations.remove(acme.id, alice.id, by=bob.id)
        again = await organizations.invite(acme.id, "carol@example.org", by=bob.id)
        assert (await organizations.cancel(again.id, by=bob.id)).status == "canceled"
        await organizations.delete(acme.id, by=bob.id)
        assert await organizations.get(acme.id) is None

    asyncio.run(journey())


def test_same_calls() -> None:
    """Both classes have the same calls, with the same arguments and answers."""
    sync, awaited = (
        {
            name: inspect.signature(call)
            for name, call in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }
        for kind in (Organizations, AsyncOrganizations)
    )
    assert sync == awaited
    assert len(sync) == 12


type Call = Callable[[World, UUID], object]
CALLS: dict[str, tuple[set[str], Call]] = {
    "rename": ({"owner", "admin"}, lambda w, by: w.organizations.update(w.acme.id, name="New", by=by)),
    "invite": ({"owner", "admin"}, lambda w, by: w.organizations.invite(w.acme.id, "new@example.org", by=by)),
    "list": ({"owner", "admin"}, lambda w, by: w.organizations.invitations(w.acme.id, by=by)),
    "cancel": ({"owner", "admin"}, lambda w, by: w.organizations.cancel(w.invitation, by=by)),
    "promote": (
        {"owner", "admin"},
        lambda w, by: w.organizations.change_role(w.acme.id, w.member.id, "admin", by=by),
    ),
    "remove": ({"owner", "admin"}, lambda w, by: w.organizations.remove(w.acme.id, w.stranger.id, by=by)),
    "invite an owner": (
        {"owner"},
        lambda w, by: w.organizations.invite(w.acme.id, "new@example.org", role="owner", by=by),
    ),
    "make an owner": ({"owner"}, lambda w, by: w.organizations.change_role(w.acme.id, w.member.id, "owner", by=by)),
    "demote an owner": (
        {"owner"},
        lambda w, by: w.organizations.change_role(w.acme.id, w.owner.id, "owner,admin", by=by),
    ),
    "transfer": ({"owner"}, lambda w, by: w.organizations.transfer(w.acme.id, w.admin.id, by=by)),
    "delete": ({"owner"}, lambda w, by: w.organizations.delete(w.acme.id, by=by)),
}


def _everything(world: World) -> list[Any]:
    with world.sandbox.admin() as connection:
        return [
            connection.execute(f"select t::text from app.{table} as t order by 1".encode()).fetchall()  # ours
            for table in ("organizations", "members", "invitations")
        ]


def test_by_whom(world: World) -> None:
    """Each call is for those whose role allows it; for the others it is refused, and nothing has changed."""
    before = _everything(world)
    for name, (allowed, call) in CALLS.items():
        for role in ("admin", "member", "guest", "stranger"):
            if role in allowed:
                continue
            with pytest.raises(NotPermitted if role in ("admin", "member") else NotMember):
                call(world, getattr(world, role).id)
            assert _everything(world) == before, (name, role)
    with pytest.raises(NotPermitted):
        world.organizations.remove(world.acme.id, world.owner.id, by=world.admin.id)
    assert _everything(world) == before
    for name in ("rename", "invite", "list", "cancel", "remove", "promote"):
        CALLS[name][1](world, world.admin.id)
    for name in ("invite an owner", "make an owner", "demote an owner", "transfer"):
        CALLS[name][1](world, world.owner.id)
    CALLS["delete"][1](world, world.admin.id)  # the owner by now
    assert _everything(world) == [[], [], []]


def test_invitations(world: World) -> None:
    """An invitation is for the account of its address, once verified, and for one time; each refusal says which."""
    organizations, guest = world.organizations, world.guest
    for invitation, user in ((world.invitation, world.stranger.id), (uuid4(), guest.id), ("nonsense", guest.id)):
        with pytest.raises(NotInvited):
            organizations.accept(invitation, user)
    squatter = world.sandbox.accounts.create("squatter@example.org")  # signed up with an address that is not theirs yet
    unproven = world.invited(squatter)
    with pytest.raises(NotInvited):
        organizations.accept(unproven, squatter.id)
    late = world.invited(world.stranger, life=timedelta(0))
    with pytest.raises(InvitationOver, match="has expired"):
        organizations.accept(late, world.stranger.id)
    canceled = world.invited(world.stranger)
    replaced = world.invited(world.stranger)
    with pytest.raises(InvitationOver, match="was canceled"):
        organizations.accept(canceled, world.stranger.id)
    with pytest.raises(InvitationOver, match="was canceled"):
        organizations.cancel(canceled, by=world.owner.id)
    with pytest.raises(NotMember):
        organizations.cancel(uuid4(), by=world.owner.id)
    assert world.roles() == EVERYBODY
    organizations.accept(world.invitation, guest.id)
    organizations.accept(replaced, world.stranger.id)
    with pytest.raises(InvitationOver, match="was accepted"):
        organizations.accept(world.invitation, guest.id)
    with pytest.raises(Conflict, match="member already"):
        world.invited(guest)
    assert world.roles() == EVERYBODY | {"guest": "member", "stranger": "member"}


def _at_once(*calls: Callable[[], object]) -> set[str]:
    """Begin all of them at once; return the names of what they raised, "" for those that succeeded."""

    def outcome(call: Callable[[], object]) -> str:
        try:
            call()
        except UserscopeError as error:
            return type(error).__name__
        return ""

    with ThreadPoolExecutor(len(calls)) as pool:
        return set(pool.map(outcome, calls))


def test_at_once(world: World) -> None:
    """Of two who accept one invitation at once, one does; of two last owners who leave at once, one stays."""
    organizations, acme = world.organizations, world.acme.id
    accept = [lambda: organizations.accept(world.invitation, world.guest.id)] * 2
    assert _at_once(*accept) == {"", "InvitationOver"}
    organizations.change_role(acme, world.admin.id, "admin,owner", by=world.owner.id)
    leave = [lambda it=user.id: organizations.remove(acme, it, by=it) for user in (world.owner, world.admin)]
    assert _at_once(*leave) == {"", "BrokenConstraint"}
    assert len([role for role in world.roles(world.member).values() if "owner" in role]) == 1


def test_last_owner(world: World) -> None:
    """The last owner neither leaves nor becomes something else, and is told what to do instead."""
    organizations, acme, owner = world.organizations, world.acme.id, world.owner.id
    for call in (
        lambda: organizations.remove(acme, owner, by=owner),
        lambda: organizations.change_role(acme, owner, "admin", by=owner),
    ):
        with pytest.raises(BrokenConstraint) as refused:
            call()
        assert refused.value.detail == "An organization has at least one owner: make somebody else one first."
    assert world.roles() == EVERYBODY
    assert organizations.transfer(acme, world.stranger.id, by=owner) is None
    assert organizations.transfer(acme, owner, by=owner)
    assert organizations.transfer(acme, world.member.id, by=owner)
    assert organizations.remove(acme, owner, by=owner)
    assert world.roles(world.member) == {"admin": "admin", "member": "owner"}


def test_out_at_once(world: World) -> None:
    """Who was removed reaches nothing any more, whatever they hold on to; the organization is still there."""

    def named(user: User) -> list[str]:
        with world.sandbox.reading_as(user, organization_id=world.acme.id) as session:
            return [each.name for each in session.exec(select(CurrentOrganization)).all()]

    assert named(world.member) == ["Acme"]
    assert world.organizations.remove(world.acme.id, world.member.id, by=world.member.id)
    with pytest.raises(NotMember):
        named(world.member)
    assert named(world.owner) == ["Acme"]


def test_bad_input(world: World) -> None:
    """What is malformed, unknown or taken is one clear error, and nothing is half done."""
    organizations, acme, owner = world.organizations, world.acme.id, world.owner.id
    before = _everything(world)
    with pytest.raises(Conflict) as taken:
        organizations.create("Other", slug="acme", owner=owner)
    assert taken.value.detail == "This slug is already taken."
    with pytest.raises(BrokenConstraint, match="A slug has 1 to 100"):
        organizations.create("Other", slug="No Slug", owner=owner)
    with pytest.raises(UnknownReference, match="The user of this membership does not exist"):
        organizations.create("Other", slug="other", owner=uuid4())
    for refused, call in (
        (InvalidOrganizationId, lambda: organizations.get("acme")),
        (InvalidUserId, lambda: organizations.delete(acme, by="alice")),
        (NotMember, lambda: organizations.delete(uuid4(), by=owner)),
        (InvalidValue, lambda: organizations.change_role(acme, owner, "king", by=owner)),
        (InvalidValue, lambda: organizations.invite(acme, "x@example.org", role="", by=owner)),
        (InvalidValue, lambda: organizations.invite(acme, "no address", by=owner)),
        (TypeError, lambda: organizations.update(acme, by=owner, created_at="now")),
    ):
        with pytest.raises(refused):
            call()
    assert organizations.remove(acme, world.stranger.id, by=owner) is False
    assert organizations.change_role(acme, world.stranger.id, "admin", by=owner) is None
    assert organizations.get(uuid4()) is None
    assert _everything(world) == before


def test_roles_of_your_own(world: World) -> None:
    """Roles of your own are for those who name them, and may do what members may."""
    settings = world.sandbox.settings
    with Organizations(settings, roles=("owner", "admin", "member", "billing")) as organizations:
        assert organizations.change_role(world.acme.id, world.member.id, "billing", by=world.owner.id)
        with pytest.raises(NotPermitted):
            organizations.invite(world.acme.id, "x@example.org", by=world.member.id)
    assert world.roles() == EVERYBODY | {"member": "billing"}
    assert isinstance(world.acme, Organization)
