"""Better Auth's organization plugin on our tables, from an invitation to what a service shows; the tables' rules."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from tests.better_auth.people import AUDIENCE, ISSUER, Browser, Running, refusal
from tests.processes import eventually
from userscope import CurrentOrganization, Membership, Settings
from userscope.fastapi import UserReader, install, lifespan

pytestmark = pytest.mark.breadth

ONLY_OWNER = (400, "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER")


@pytest.fixture(scope="module")
def service(auth: Running) -> Iterator[TestClient]:
    """A service that acts in the organization of the token."""
    settings = Settings(
        _env_file=None, database_url=auth.database.url("service").text(),
        auth_jwks_url=f"{auth.url}/api/auth/jwks", auth_issuer=ISSUER, auth_audience=AUDIENCE,
        auth_organization_claim="organization_id",
    )  # fmt: skip
    app = FastAPI(lifespan=lifespan(settings))
    install(app)

    @app.get("/")
    def here(session: UserReader) -> tuple[list[str], dict[str, str]]:
        memberships = session.exec(select(Membership)).all()
        return [*session.exec(select(CurrentOrganization.slug))], {each.slug: each.role for each in memberships}

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def seen(service: TestClient, token: str) -> object:
    """What the service shows: the organization that is acted in, and one's roles; or a status."""
    answer = service.get("/", headers={"Authorization": f"Bearer {token}"})
    return answer.json() if answer.status_code == 200 else answer.status_code


def verified(auth: Running, browser: Browser, email: str) -> str:
    """Sign up, and show that the address is one's own."""
    user_id = browser.signed_up(email)
    browser.post("/send-verification-email", json={"email": email})
    browser.get(str(auth.mailed("Verify your e-mail address", email)))
    return user_id


def joined(auth: Running, owner: Browser, organization: str, browser: Browser, email: str, role: str = "member") -> str:
    """Sign up, and accept an invitation; returns the membership's id."""
    verified(auth, browser, email)
    owner.organize("invite-member", email=email, role=role, organizationId=organization)
    invitation = auth.mailed("You are invited", email).params["invitation"]
    answer = browser.organize("accept-invitation", invitationId=invitation)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["member"]["id"])


def roles(auth: Running, organization: str) -> list[str]:
    """The roles of all its members."""
    return [role for (role,) in auth.rows("select role from app.members where organization_id = %s", organization)]


def test_from_sign_up_to_the_rows(auth: Running, service: TestClient, browser: Browser, phone: Browser) -> None:
    """Invite, accept, switch, change a role, remove: each is what the service goes by, from the next token on."""
    browser.signed_up("way-ann@example.com")
    acme = browser.founded("way-acme")
    owner = browser.token()
    assert seen(service, owner) == [["way-acme"], {"way-acme": "owner"}]
    member = joined(auth, browser, acme, phone, "way-bob@example.com")
    assert seen(service, phone.token()) == [["way-acme"], {"way-acme": "member"}]
    phone.founded("way-beta")
    assert seen(service, phone.token()) == [["way-beta"], {"way-acme": "member", "way-beta": "owner"}]
    phone.organize("set-active", organizationId=None)
    assert seen(service, phone.token()) == [[], {"way-acme": "member", "way-beta": "owner"}]
    phone.organize("set-active", organizationId=acme)
    browser.organize("update-member-role", memberId=member, role=["member", "admin"])
    claiming = phone.token()
    assert seen(service, claiming) == [["way-acme"], {"way-acme": "member,admin", "way-beta": "owner"}]
    assert browser.organize("remove-member", memberIdOrEmail=member).status_code == 200
    assert seen(service, claiming) == 403, "the token still says so, the table does not"
    assert seen(service, phone.token()) == 403, "the browser is still in it, they are not"
    assert seen(service, owner) == [["way-acme"], {"way-acme": "owner"}]
    phone.organize("set-active", organizationId=None)
    assert seen(service, phone.token()) == [[], {"way-beta": "owner"}]


def test_not_ones_own(auth: Running, service: TestClient, browser: Browser, phone: Browser) -> None:
    """Whoever is no member makes another's organization theirs by no call, and is told nothing of it."""
    browser.signed_up("own-ann@example.com")
    acme = browser.founded("own-acme")
    phone.signed_up("own-mallory@example.com")
    ((member,),) = auth.rows("select id from app.members where organization_id = %s", acme)
    answers = [
        phone.organize("set-active", organizationId=acme),
        phone.organize("update", organizationId=acme, data={"name": "Mine"}),
        phone.organize("delete", organizationId=acme),
        phone.organize("leave", organizationId=acme),
        phone.organize("invite-member", organizationId=acme, email="own-mallory@example.com", role="owner"),
        phone.organize("remove-member", organizationId=acme, memberIdOrEmail=str(member)),
        phone.organize("update-member-role", organizationId=acme, memberId=str(member), role="member"),
        phone.get("/organization/get-full-organization", params={"organizationId": acme}),
        phone.get("/organization/list-members", params={"organizationId": acme}),
    ]
    assert {answer.status_code for answer in answers} <= {400, 401, 403}
    assert "own-ann" not in "".join(answer.text for answer in answers)
    assert roles(auth, acme) == ["owner"]
    assert auth.rows("select name from app.organizations where id = %s", acme) == [("own-acme",)]
    assert seen(service, phone.token()) == [[], {}]


def test_not_verified(auth: Running, browser: Browser, phone: Browser) -> None:
    """Who signs up with the invited address accepts nothing, until they have shown that it is theirs."""
    browser.signed_up("not-ann@example.com")
    acme = browser.founded("not-acme")
    phone.signed_up("not-bob@example.com")
    browser.organize("invite-member", email="not-bob@example.com", role="admin", organizationId=acme)
    invitation = auth.mailed("You are invited", "not-bob@example.com").params["invitation"]
    code = "EMAIL_VERIFICATION_REQUIRED_BEFORE_ACCEPTING_OR_REJECTING_INVITATION"
    assert refusal(phone.organize("accept-invitation", invitationId=invitation)) == (403, code)
    assert roles(auth, acme) == ["owner"]
    phone.post("/send-verification-email", json={"email": "not-bob@example.com"})
    phone.get(str(auth.mailed("Verify your e-mail address", "not-bob@example.com")))
    with ThreadPoolExecutor(2) as pool:
        accept = pool.map(lambda _: phone.organize("accept-invitation", invitationId=invitation), range(2))
        assert sorted(answer.status_code for answer in accept) == [200, 400], "twice at once: one of them"
    assert sorted(roles(auth, acme)) == ["admin", "owner"]


def test_last_owner(auth: Running, browser: Browser, phone: Browser) -> None:
    """The last owner neither leaves, nor is removed, nor becomes anything less; nobody else changes that."""
    browser.signed_up("last-ann@example.com")
    acme = browser.founded("last-acme")
    ((owner,),) = auth.rows("select id from app.members where organization_id = %s", acme)
    joined(auth, browser, acme, phone, "last-bob@example.com", "admin")
    assert refusal(browser.organize("leave", organizationId=acme)) == ONLY_OWNER
    assert refusal(browser.organize("remove-member", memberIdOrEmail="last-ann@example.com")) == ONLY_OWNER
    for who in (browser, phone):
        assert who.organize("update-member-role", memberId=str(owner), role="admin").status_code in (400, 403)
    assert refusal(phone.organize("remove-member", memberIdOrEmail="last-ann@example.com")) == ONLY_OWNER
    assert sorted(roles(auth, acme)) == ["admin", "owner"]


@pytest.mark.parametrize("how", ["leave", "update-member-role"])
def test_last_two_owners(auth: Running, browser: Browser, phone: Browser, how: str) -> None:
    """Of two owners who go at the same moment, each of whom sees the other, one stays."""
    name = how[:5]
    browser.signed_up(f"{name}-ann@example.com")
    acme = browser.founded(f"{name}-acme")
    theirs = joined(auth, browser, acme, phone, f"{name}-bob@example.com", "owner")
    ((mine,),) = auth.rows("select id from app.members where organization_id = %s and id <> %s", acme, theirs)

    def go(who: Browser, member: object) -> int:
        more = {"memberId": str(member), "role": "member"} if how == "update-member-role" else {}
        return who.organize(how, organizationId=acme, **more).status_code

    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with ThreadPoolExecutor(2) as pool, auth.database.superuser_connection() as holding:
        holding.autocommit = False
        holding.execute("select from app.organizations where id = %s for update", [acme])  # both come as far as it
        answers = [pool.submit(go, browser, mine), pool.submit(go, phone, theirs)]
        eventually(lambda: auth.rows(waiting) == [(2,)])
        holding.rollback()
        statuses = sorted(answer.result() for answer in answers)
    assert statuses[0] == 200
    assert statuses[1] >= 400
    assert sum(role == "owner" for role in roles(auth, acme)) == 1
    assert "an organization has at least one owner" in auth.log


def test_delete(auth: Running, service: TestClient, browser: Browser, phone: Browser) -> None:
    """A deleted organization is no browser's any more; a token that still claims it is refused as any other's."""
    browser.signed_up("gone-ann@example.com")
    acme = browser.founded("gone-acme")
    joined(auth, browser, acme, phone, "gone-bob@example.com")
    claiming = phone.token()
    assert seen(service, claiming) == [["gone-acme"], {"gone-acme": "member"}]
    assert browser.organize("delete", organizationId=acme).status_code == 200
    assert seen(service, claiming) == 403
    assert seen(service, phone.token()) == seen(service, browser.token()) == [[], {}]
    assert auth.rows("select from app.members where organization_id = %s", acme) == []


def test_delete_the_account(auth: Running, service: TestClient, browser: Browser, phone: Browser) -> None:
    """Who deletes their account leaves the organizations as well, also as the last owner."""
    browser.signed_up("left-ann@example.com")
    acme = browser.founded("left-acme")
    joined(auth, browser, acme, phone, "left-bob@example.com")
    assert browser.post("/delete-user", json={"password": "correct horse battery"}).status_code == 200
    assert roles(auth, acme) == ["member"]
    assert seen(service, phone.token()) == [["left-acme"], {"left-acme": "member"}]


@pytest.fixture(scope="module")
def taken(auth: Running) -> str:
    """Ann's organization."""
    with auth.browser() as somebody:
        somebody.signed_up("bad-ann@example.com")
        return somebody.founded("bad-taken")


@pytest.mark.parametrize(
    ("call", "given", "status"),
    [
        ("create", {"name": "No", "slug": "No Slug!"}, 400),
        ("create", {"name": "No", "slug": "no-slug\n"}, 400),
        ("create", {"name": "No", "slug": "bad-taken"}, 400),
        ("create", {"name": "", "slug": "bad-none"}, 400),
        ("update", {"data": {"slug": "No Slug!"}}, 400),
        ("invite-member", {"email": "bad-bob@example.com", "role": "king"}, 400),
        ("invite-member", {"email": "no address", "role": "member"}, 400),
        ("invite-member", {"email": "bad-ann@example.com", "role": "member"}, 400),
        ("accept-invitation", {"invitationId": "00000000-0000-4000-8000-000000000000"}, 400),
        ("set-active", {"organizationId": "00000000-0000-4000-8000-000000000000"}, 403),
        ("remove-member", {"memberIdOrEmail": "bad-bob@example.com"}, 400),
        ("create-team", {"name": "No"}, 404),
        ("set-active", {"organizationId": "bad"}, 500),  # it asks PostgreSQL, which knows what a uuid is
    ],
)
def test_refused(auth: Running, browser: Browser, taken: str, call: str, given: dict[str, object], status: int) -> None:
    """What Better Auth or the table refuses leaves nothing behind."""
    browser.sign_in("bad-ann@example.com")
    assert browser.organize("set-active", organizationId=taken).status_code == 200
    rows = (
        "select o.id, name, slug, m.role, i.email from app.organizations as o left join app.members as m "
        "on m.organization_id = o.id left join app.invitations as i on i.organization_id = o.id order by 1, 4, 5"
    )
    before = auth.rows(rows)
    answer = browser.organize(call, **given)
    assert answer.status_code == status, answer.text
    assert auth.rows(rows) == before
