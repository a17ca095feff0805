"""Sealed, no SQL on a connection that acts for Alice reaches Bob; and every attack of the corpus can bite."""

import pytest
from psycopg import sql

from tests.attacks.arena import Arena
from tests.attacks.attack import Aim, Attack, Change, Outcome
from tests.attacks.conftest import Grounds
from tests.attacks.corpus import CATEGORIES, CORPUS
from tests.clusters import OWNERS

MATRIX = [
    *(pytest.param(attack, True, id=f"{name}-sealed") for name, attack in CORPUS.items()),
    *(
        pytest.param(
            attack,
            False,
            id=f"{name}-unsealed",
            marks=[] if attack.unsealed is Outcome.WORKS else [pytest.mark.breadth],
        )
        for name, attack in CORPUS.items()
        if attack.unsealed is not None
    ),
]
CONTROLLED = {name: attack for name, attack in CORPUS.items() if attack.hole or attack.careless}
CONTROLS = [
    pytest.param(attack, id=name, marks=[] if number % 4 == 0 else [pytest.mark.breadth])
    for number, (name, attack) in enumerate(CONTROLLED.items())
]
"""One hole in four is opened in every run; what works where nothing is sealed is a control in every run as well."""


@pytest.mark.parametrize(("attack", "sealed"), MATRIX)
def test_attack(grounds: Grounds, attack: Attack, sealed: bool) -> None:
    """What comes of it is what docs/threat-model.md says, whoever owns the database."""
    if attack.circumstance:
        outcome, seen = _apart(grounds, attack, attack.circumstance)
    else:
        arena = grounds.arena(sealed=sealed, unmoved=attack.aim is Aim.TELL)
        outcome, seen = arena.attempt(attack, grounds.twin)
        if arena.traces:
            _mend(arena)
    assert outcome == attack.expected(sealed=sealed), seen


@pytest.mark.parametrize("attack", CONTROLS)
def test_control(plain: Grounds, attack: Attack) -> None:
    """The attack reaches Bob, sealed, where the hole is open that it goes for."""
    outcome, seen = _apart(plain, attack, attack.circumstance, attack.hole)
    assert outcome is Outcome.WORKS, seen


def test_every_attack_has_a_control() -> None:
    """An attack bites where its hole is open, or where nothing is sealed; names are its own."""
    uncontrolled = {
        name for name, attack in CORPUS.items() if name not in CONTROLLED and attack.unsealed is not Outcome.WORKS
    }
    assert uncontrolled == set()
    assert len(CORPUS) == sum(len(module.ATTACKS) for module in CATEGORIES.values())


def _apart(grounds: Grounds, attack: Attack, *changes: Change | None) -> tuple[Outcome, str]:
    """Carry out an attack, sealed, in copies that were changed for it."""
    originals = [grounds.pristine, grounds.pristine_twin] if attack.aim is Aim.TELL else [grounds.pristine]
    arenas = [original.clone() for original in originals]
    try:
        for arena in arenas:
            arena.require_seals(True)
            arena.careless = attack.careless
            for change in changes:
                arena.change(change)
        return arenas[0].attempt(attack, arenas[-1])
    finally:
        for arena in arenas:
            arena.drop()
        _mend(arenas[0])


def _mend(arena: Arena) -> None:
    """Undo what an attack did to the roles of the server, which outlive a database."""
    Arena.mended += 1
    cluster = arena.database.cluster
    login = arena.database.url("service").params
    with cluster.superuser_connection() as superuser:
        verifier = superuser.pgconn.encrypt_password(
            login["password"].encode(), login["user"].encode(), b"scram-sha-256"
        ).decode()
        superuser.execute("alter role app_service reset all")
        for role in ("app_service", "app_user", "app_auth", "app_gate", "app_roster"):
            superuser.execute(f"alter role {role} nosuperuser nobypassrls nocreaterole nocreatedb noreplication")
        superuser.execute(sql.SQL("alter role app_service password {}").format(sql.Literal(verifier)))
        for role in ("pg_read_all_data", "pg_write_all_data", "app_auth", arena.database.owner):
            superuser.execute(sql.SQL("revoke {} from app_service").format(sql.Identifier(role)))
        superuser.execute("revoke pg_write_all_data from app_user")
        superuser.execute("drop role if exists evil")
        there = {name for (name,) in superuser.execute("select rolname from pg_roles")}
        for kind, text in OWNERS.items():
            attributes = (
                f"{'' if word in text.split() else 'no'}{word}"
                for word in ("superuser", "createdb", "createrole", "bypassrls")
            )
            if f"owner_{kind}" in there:
                superuser.execute(f"alter role owner_{kind} {' '.join(attributes)}".encode())
