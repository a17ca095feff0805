"""Who signs up becomes one row of app.users, with an id made by the database; who must not, none."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from tests.better_auth.people import PASSWORD, Browser, Running, refusal


@pytest.fixture(scope="module")
def taken(auth: Running) -> None:
    """Somebody who is there already."""
    with auth.browser() as somebody:
        somebody.signed_up("taken@example.com", username="taken")


def people(auth: Running) -> set[tuple[object, ...]]:
    return set(auth.rows("select id, name, email, username, display_username from app.users"))


def test_the_row(auth: Running, browser: Browser) -> None:
    """E-mail and username are kept in lower case, beside how the username was typed."""
    user_id = browser.signed_up("Ann.B@Example.COM", username="Ann_B")
    assert (UUID(user_id), "Ann", "ann.b@example.com", "ann_b", "Ann_B") in people(auth)
    ((provider, password),) = auth.rows("select provider_id, password from app.accounts where user_id = %s", user_id)
    assert provider == "credential"
    assert PASSWORD not in password


def test_without_a_username(auth: Running, browser: Browser) -> None:
    """A username is a choice: without one it is null, for any number of people."""
    ids = {UUID(browser.signed_up(f"no-name-{number}@example.com")) for number in (1, 2)}
    assert {row[3:] for row in people(auth) if row[0] in ids} == {(None, None)}


@pytest.mark.usefixtures("taken")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"email": "TAKEN@example.com"}, (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")),
        ({"username": "TAKEN"}, (400, "USERNAME_IS_ALREADY_TAKEN")),
        ({"username": "a-b c"}, (400, "INVALID_USERNAME")),
        ({"username": "ünder"}, (400, "INVALID_USERNAME")),
        ({"username": "ann\n"}, (400, "INVALID_USERNAME")),
        ({"username": "ab"}, (400, "USERNAME_TOO_SHORT")),
        ({"username": "a" * 31}, (400, "USERNAME_TOO_LONG")),
        ({"password": "short"}, (400, "PASSWORD_TOO_SHORT")),
        ({"password": "x" * 129}, (400, "PASSWORD_TOO_LONG")),
        ({"email": "no address"}, (400, "VALIDATION_ERROR")),
        ({"email": " blank@example.com"}, (400, "VALIDATION_ERROR")),
        ({"email": "ÉMILE@example.com"}, (400, "VALIDATION_ERROR")),
        ({"email": "'; drop table app.users --@example.com"}, (400, "VALIDATION_ERROR")),
        ({"name": None}, (400, "VALIDATION_ERROR")),
    ],
    ids=str,
)
def test_refused(auth: Running, browser: Browser, given: dict[str, str], expected: tuple[int, str]) -> None:
    """Better Auth refuses what the table would refuse as well, and no row is left."""
    before = people(auth)
    assert "taken" in {row[3] for row in before}
    assert refusal(browser.sign_up(**{"email": "new@example.com", **given})) == expected
    assert people(auth) == before


@pytest.mark.parametrize(
    ("given", "logged"),
    [
        ({"email": f"{'a' * 250}@example.com"}, "users_email_check"),
        ({"image": "x", "name": "\0"}, "invalid byte sequence"),
    ],
    ids=["long address", "nul"],
)
def test_refused_by_the_table(auth: Running, browser: Browser, given: dict[str, str], logged: str) -> None:
    """What Better Auth lets through the table still refuses: an error, no row, and no SQL in the answer."""
    before = people(auth)
    answer = browser.sign_up(**{"email": "table@example.com", **given})
    assert answer.status_code in (400, 422)
    assert people(auth) == before
    assert logged in auth.log
    assert "users" not in answer.text


@pytest.mark.breadth
def test_race(auth: Running) -> None:
    """Of ten who sign up with one address at once one gets it: the unique constraint decides."""

    def attempt(case: int) -> tuple[int, str]:
        with auth.browser() as racer:
            return refusal(racer.sign_up("Race@example.com" if case % 2 else "race@example.com"))

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(attempt, range(10)))
    assert [status for status, _ in answers].count(200) == 1
    assert {code for status, code in answers if status != 200} <= {
        "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
        "FAILED_TO_CREATE_USER",
    }
    assert [row[2] for row in people(auth)].count("race@example.com") == 1


@pytest.mark.parametrize("origin", [None, "http://evil.example", "http://127.0.0.1:8001"])
def test_foreign_page(auth: Running, browser: Browser, origin: str | None) -> None:
    """A page of another origin can use nobody's cookies, and reads no answer."""
    browser.signed_up(f"origin-{str(origin)[-4:]}@example.com")
    headers = {"Origin": origin} if origin else {}
    del browser.headers["Origin"]
    answer = browser.post("/update-user", json={"name": "Mallory"}, headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert not auth.rows("select from app.users where name = 'Mallory'")
