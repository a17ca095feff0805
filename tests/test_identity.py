"""User ids are of one kind and in one spelling; seals are what the database computes, for any user, key and moment."""

import re
import time
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clusters import Database
from userscope.errors import ConfigurationError, IdentityError, InvalidUserId, MissingUserId
from userscope.identity import SEAL_LIFE, Kind, SealKey, as_kind, credentials, parse_user_id

ID = UUID("0f4d3f8c-58b4-4b8e-9a3e-2f0f3f1c2d3e")


class _Number(IntEnum):
    ONE = 1


class _Word(str, Enum):  # noqa: UP042  # whose text is its name, as it was before StrEnum
    ONE = "one"


def repr_of(value: object) -> str:
    """A name for a value that a terminal can show."""
    return ascii(value)[:20] if not isinstance(value, int) or value.bit_length() < 99 else "huge"


@given(st.uuids())
def test_uuid(value: UUID) -> None:
    """A uuid, and its text in either case, is that user, written as PostgreSQL writes it."""
    assert parse_user_id(value) == parse_user_id(str(value)) == parse_user_id(str(value).upper()) == str(value)


@given(st.text() | st.binary() | st.integers() | st.none() | st.floats() | st.lists(st.text()))
def test_anything_else(value: Any) -> None:
    """Whatever else it is, it is refused, and not repeated."""
    with pytest.raises(IdentityError) as raised:
        parse_user_id(value)
    missing = value is None or (isinstance(value, str) and value == "")
    assert type(raised.value) is (MissingUserId if missing else InvalidUserId)
    assert len(str(value)) < 12 or str(value) not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [f"{{{ID}}}", ID.hex, f" {ID}", f"{ID}\n", f"urn:uuid:{ID}", str(ID).replace("-", "_"), str(ID)[:-1] + "٣"],
)
def test_other_spellings(text: str) -> None:
    """Spellings that PostgreSQL or Python would take for the same uuid are refused: the seal is over one of them."""
    with pytest.raises(InvalidUserId):
        parse_user_id(text)


@given(st.integers(-(2**63), 2**63 - 1))
def test_bigint(value: int) -> None:
    """A number of 64 bits, and its digits, is that user."""
    assert parse_user_id(value, "bigint") == parse_user_id(str(value), "bigint") == str(value)
    assert as_kind(str(value), "bigint") == value


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        -(2**63) - 1,
        10**5000,
        str(2**63),
        "01",
        "+1",
        "-0",
        " 1",
        "1\n",
        "1_0",
        "1e3",
        "0x1",
        "٣",
        "1.0",
        1.0,
        True,
        ID,
    ],
    ids=repr_of,
)
def test_no_bigint(value: Any) -> None:
    """Other spellings of a number are refused, and so is what PostgreSQL's type does not hold."""
    with pytest.raises(InvalidUserId, match="USERSCOPE_USER_ID says that user ids are bigint"):
        parse_user_id(value, "bigint")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=255))
def test_text(value: str) -> None:
    """A text without control characters is that user, as it is."""
    assert parse_user_id(value, "text") == as_kind(value, "text") == value


@pytest.mark.parametrize("value", ["a" * 256, "a\n", "\0", "a\x7fb", "\x9f", "\ud800", 42, ID, b"a", True], ids=repr_of)
def test_no_text(value: Any) -> None:
    """Control characters, halves of characters, too long a text and what is no text are refused."""
    with pytest.raises(InvalidUserId, match="USERSCOPE_USER_ID says that user ids are text"):
        parse_user_id(value, "text")


@pytest.mark.parametrize("kind", ["uuid", "bigint", "text"])
def test_missing(kind: Kind) -> None:
    """No user is no user, whatever users are known by."""
    for value in (None, ""):
        with pytest.raises(MissingUserId):
            parse_user_id(value, kind)


def test_enumerations() -> None:
    """A member of an enumeration counts as its value, not as its name."""
    assert parse_user_id(_Number.ONE, "bigint") == "1"
    assert parse_user_id(_Word.ONE, "text") == "one"


def test_key_round_trip() -> None:
    """A key survives being written down; its secret shows only where it is asked for."""
    key = SealKey.generate()
    assert SealKey.parse(key.text()) == key
    secret = key.text().partition(":")[2]
    assert secret not in f"{key} {key!r}"
    assert (str(key), len(key.secret)) == (key.id, 32)
    assert SealKey.generate() != key


@pytest.mark.parametrize("text", ["", "x", "a:", ":" + "A" * 44, "a:AAAA", "a b:" + "A" * 43 + "=", "a:" + "!" * 44])
def test_no_key(text: str) -> None:
    """What is no key is refused, and not repeated."""
    with pytest.raises(ConfigurationError) as raised:
        SealKey.parse(text)
    assert len(text) < 4 or text not in str(raised.value)


def test_seal() -> None:
    """A seal names its key and its end, and is another one for another user, key or moment."""
    key, other = SealKey.generate(), SealKey.generate()
    seal = key.seal(str(ID), now=1_000_000)
    assert re.fullmatch(rf"{key.id}\.{1_000_000 + SEAL_LIFE}\.[0-9a-f]{{64}}", seal)
    others = {
        key.seal(str(uuid4()), now=1_000_000),
        other.seal(str(ID), now=1_000_000),
        key.seal(str(ID), now=1_000_001),
    }
    assert len(others | {seal}) == 4
    assert key.seal(str(ID), now=1_000_000) == seal


def test_credentials() -> None:
    """Without a key there is no seal; with one it lasts from now on."""
    assert credentials(ID, None) == (str(ID), "")
    user, seal = credentials(str(ID).upper(), SealKey.generate())
    assert user == str(ID)
    assert 0 < int(seal.split(".")[1]) - time.time() <= SEAL_LIFE


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(user=st.uuids(), secret=st.binary(min_size=32, max_size=32))
def test_database_agrees(database: Database, user: UUID, secret: bytes) -> None:
    """The database accepts the seals that are made here, and only for the user they were made for."""
    key = SealKey(f"k{uuid4().hex[:8]}", secret)
    with database.superuser_connection() as superuser:
        superuser.execute("insert into app_private.seal_keys values (%s, %s, %s)", [key.id, *key.pads()])
    with database.connect("service") as service, service.transaction():
        service.execute("select app.set_user_id(%s, %s)", credentials(user, key))
        assert service.execute("select app.current_user_id()").fetchone() == (user,)
        service.execute("select app.set_user_id(%s, %s)", [str(uuid4()), credentials(user, key)[1]])
        with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification, match="does not fit"):
            service.execute("select app.current_user_id()")
        raise psycopg.Rollback
