"""Organizations in the two worlds: Alice's are alike, and of the others nothing is — their ids, names, members, rows.

Totals are the same: what differs is whose they are, and how large each is.
"""

from collections.abc import Sequence
from dataclasses import replace

from tests.clusters import Connection
from tests.search.people import ALICE, BOB, CANARY, CANARY_YEAR, CAROL, FILLERS, SPOOK, ZOE, uuid_of
from tests.search.probes import Probe
from tests.search.words import TIME, Table, Words
from tests.search.worlds import Change

ACME, GAMMA = "77777777-0000-4000-8000-000000000001", "88888888-0000-4000-8000-000000000002"
INVITING = "99999999-0000-4000-8000-000000000003"
MATE = "dededede-0000-4000-8000-000000000006"
"""Alice's colleague, the same in both worlds, whose id lies between those of the ghost's and the spook's."""
THEIRS = (
    [f"1{number}111111-0000-4000-8000-000000000000" for number in range(6)],
    [f"{'12fd3e'[number]}2222222-0000-4000-8000-000000000000" for number in range(6)],
)
"""In the first world all of them sort before Alice's own, in the other half of them do."""
_SIZES = ((7, 6, 5, 4, 2, 1), (1, 5, 2, 7, 6, 4))
_NOW = "timestamptz '2031-01-01 00:00Z'"

_TEAM = {"id": "uuid", "name": "text", "slug": "text", "logo": "text", "metadata": "text", "created_at": TIME}
ORGANIZATION = Table("app.organization", _TEAM, ())
MEMBERSHIPS = Table(
    "app.memberships", {"organization_id" if name == "id" else name: kind for name, kind in _TEAM.items() if name != "metadata"}
    | {"role": "text"}, (),
)  # fmt: skip
COLLEAGUES = Table(
    "app.colleagues()", {"user_id": "uuid", "name": "text", "image": "text", "role": "text", "created_at": TIME}, ()
)
INVITATIONS = Table(
    "app.my_invitations()",
    {"id": "uuid", "organization_id": "uuid", "name": "text", "slug": "text", "role": "text", "inviter": "text",
     "expires_at": TIME}, (),
)  # fmt: skip
TEAMS = (ORGANIZATION, MEMBERSHIPS, COLLEAGUES, INVITATIONS)
"""What answers for a user's organizations: fenced."""
BOARDS = Table(
    "app.boards",
    {"organization_id": "uuid", "id": "uuid", "name": "text", "created_by": "uuid", "created_at": TIME, "updated_at": TIME},
    ("name",), ("id", "name"), fenced=False,
)  # fmt: skip
"""Rows of organizations, without a fence."""


def fill(superuser: Connection) -> None:
    """Make the organizations of a world, whichever it is."""
    second = superuser.execute("select from app.users where id = %s", [SPOOK]).rowcount
    superuser.execute(
        "insert into app.users (id, name, email, created_at) values (%s, 'Mate Plainly', 'mate@example.com', '2031-01-01')",
        [MATE],
    )
    superuser.execute("update app.users set email_verified = true where id = %s", [ALICE])
    for table, columns, rows in _rows(second):
        values = ", ".join(f"({', '.join(f"'{value}'" for value in row)}, {_NOW})" for row in rows)
        superuser.execute(f"insert into app.{table} ({columns}, created_at) values {values}".encode())


def _rows(second: int) -> list[tuple[str, str, Sequence[tuple[str, ...]]]]:
    theirs, word = THEIRS[second], ("bob", "bad")[second]
    people = [BOB, CAROL, ZOE, *FILLERS] if not second else [*FILLERS[4:], CAROL, BOB, *FILLERS[:4]]
    own = [(ACME, "Acme", "acme"), (GAMMA, "Gamma", "gamma"), (INVITING, "Inviting", "inviting")]
    others = [
        (each, f"{word} plan {place:04}" if place % 3 == 0 else f"{word} {CANARY} {place}", f"{word}-{place}")
        for place, each in enumerate(theirs)
    ]
    members = [(ACME, ALICE, "owner"), (ACME, MATE, "member"), (GAMMA, MATE, "owner"), (GAMMA, ALICE, "member,admin")]
    members += [(INVITING, MATE, "owner")]
    members += [
        (each, who, "owner" if place == 0 else CANARY)
        for each, size in zip(theirs, _SIZES[second], strict=True)
        for place, who in enumerate(people[:size])
    ]
    until, never = f"{CANARY_YEAR}-01-01 00:00Z", "2099-01-01 00:00Z"
    invitations = [(INVITING, "alice@example.com", "member", "pending", never, MATE)]
    invitations += [
        (each, f"{'ay'[second] if place % 2 else 'b'}{place}@example.com", CANARY, ("pending", "canceled")[place // 3], until, people[0])
        for place, each in enumerate(theirs)
    ]  # fmt: skip
    keyed = [(uuid_of(f"{each} {email}"), each, email, *rest) for each, email, *rest in invitations]
    boards = [(each, uuid_of(f"{each} {n}"), f"ali plan {n:04}", MATE) for each in (ACME, GAMMA) for n in range(6)]
    boards += [
        (each, uuid_of(f"{each} {n}"), f"{word} plan {n:04}" if n % 3 == 0 else f"{word} {CANARY} {n:04}", people[0])
        for each, size in zip(theirs, _SIZES[second], strict=True)
        for n in range(2 * size)
    ]
    rows: list[tuple[str, str, Sequence[tuple[str, ...]]]] = [
        ("organizations", "id, name, slug", [*own, *others]),
        ("members", "organization_id, user_id, role", members),
        ("invitations", "id, organization_id, email, role, status, expires_at, inviter_id", keyed),
        ("boards", "organization_id, id, name, created_by", boards),
    ]
    return rows


def with_teams(words: Words) -> Words:
    """Add what is worth a guess of organizations."""
    needles = {
        "organization_id": (*THEIRS[0], *THEIRS[1]),
        "slug": tuple(f"{word}-{place}" for word in ("bob", "bad") for place in range(6)),
        "user_id": (BOB, CAROL, ZOE),
        "created_by": (BOB, FILLERS[4]),
        "role": ("owner", "member,admin"),
    }
    ids = (*words.needles["id"], *THEIRS[0], *THEIRS[1])
    return replace(words, needles=words.needles | needles | {"id": ids})


def claiming(probe: Probe) -> Probe:
    """The probe, in an organization: mostly one of Alice's own, sometimes in none or in another's."""
    claims = (*[ACME] * 6, GAMMA, GAMMA, THEIRS[0][0], THEIRS[1][2], "")
    claim = f"select app.set_organization_id('{claims[probe.number % len(claims)]}'); savepoint s"
    return replace(probe, before=probe.before.replace("savepoint s", claim))


def _faulty(*statements: str) -> Change:
    def change(superuser: Connection) -> None:
        fill(superuser)
        for statement in statements:
            superuser.execute(statement.encode())

    return change


_DEFINER = "language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp"
FAULTS: dict[str, Change] = {
    "memberships without offset 0": _faulty(
        "create or replace view app.memberships with (security_barrier) as select members.organization_id, "
        "organizations.name, organizations.slug, organizations.logo, members.role, members.created_at "
        "from app.members join app.organizations on organizations.id = members.organization_id"
    ),
    "colleagues joined in order": _faulty(
        f"create or replace function app.colleagues() returns table (user_id uuid, name text, image text, role text, "
        f"created_at timestamptz) {_DEFINER} begin atomic select members.user_id, users.name, users.image, members.role, "
        "members.created_at from app.members join app.users on users.id = members.user_id "
        "where members.organization_id = (select app.current_organization_id()); end"
    ),
    "invitations joined in order": _faulty(
        "create or replace function app.my_invitations() returns table (id uuid, organization_id uuid, name text, slug text, "
        f"role text, inviter text, expires_at timestamptz) {_DEFINER} begin atomic select invitations.id, organizations.id, "
        "organizations.name, organizations.slug, invitations.role, inviters.name, invitations.expires_at from app.invitations "
        "join app.organizations on organizations.id = invitations.organization_id join app.users as inviters on "
        "inviters.id = invitations.inviter_id join app.users as me on me.email = invitations.email "
        "where me.id = (select app.current_user_id()) and me.email_verified and invitations.status = 'pending'; end"
    ),
}
"""What the views and functions must not be; each is found by what is aimed at it."""
