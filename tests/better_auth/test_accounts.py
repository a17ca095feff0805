"""What people change about their accounts, and that everything of theirs goes with them."""

import pytest

from tests.better_auth.people import PASSWORD, Browser, Running, refusal
from tests.versions import first_of
from userscope import Database, Settings, Todo
from userscope.accounts import Accounts

NEW = "another horse battery"


def settings(auth: Running) -> Settings:
    """How a service reaches the same database."""
    return Settings(_env_file=None, database_url=auth.database.url("service").text())


def add_todo(auth: Running, user_id: str, title: str) -> None:
    with Database(settings(auth)) as database, database.session(user_id) as session:
        session.add(Todo(title=title))


def counts(auth: Running, user_id: str) -> dict[str, int]:
    """How many rows of each table are the user's, as the superuser sees it."""
    tables = {"users": "id", "todos": "owner_id", "sessions": "user_id", "accounts": "user_id"}
    return {
        table: auth.rows(f"select count(*) from app.{table} where {column} = %s", user_id)[0][0]
        for table, column in tables.items()
    }


@pytest.mark.breadth
def test_update(auth: Running, browser: Browser) -> None:
    """Name, picture and username are one's own to change; the display name does not follow the username by itself."""
    user_id = browser.signed_up("update@example.com", username="Before")
    assert browser.post("/update-user", json={"name": "Anna", "image": "https://example.com/a.png"}).status_code == 200
    assert browser.post("/update-user", json={"username": "After"}).status_code == 200
    found = auth.rows("select name, image, username, display_username from app.users where id = %s", user_id)
    assert found == [("Anna", "https://example.com/a.png", "after", "Before")]


@pytest.mark.parametrize(
    ("field", "value"),
    first_of(
        ("email", "other@example.com"),
        ("username", "no way"),
        ("emailVerified", True),
        ("id", "00000000-0000-4000-8000-000000000000"),
        ("createdAt", "2020-01-01"),
    ),
)
def test_update_refused(auth: Running, browser: Browser, field: str, value: object) -> None:
    """Neither the id, nor the address, nor whether it is verified, is one's own to change."""
    user_id = browser.signed_up(f"{field}@example.com".lower())
    before = auth.rows("select * from app.users where id = %s", user_id)
    assert browser.post("/update-user", json={field: value}).status_code == 400
    assert auth.rows("select * from app.users where id = %s", user_id) == before


def test_change_password(browser: Browser, phone: Browser) -> None:
    """The old password is asked for, and opens nothing afterwards; other browsers are signed out if one wishes."""
    browser.signed_up("change@example.com")
    phone.sign_in("change@example.com")
    wrong = {"currentPassword": "wrong horse", "newPassword": NEW, "revokeOtherSessions": True}
    assert refusal(browser.post("/change-password", json=wrong)) == (400, "INVALID_PASSWORD")
    assert phone.session()
    assert browser.post("/change-password", json={**wrong, "currentPassword": PASSWORD}).status_code == 200
    assert phone.session() is None
    assert browser.session()
    assert phone.sign_in("change@example.com").status_code == 401
    assert phone.sign_in("change@example.com", NEW).status_code == 200


@pytest.mark.breadth
def test_reset_password(auth: Running, browser: Browser) -> None:
    """A link that was mailed sets a new password, once; the same is said of an address that nobody has."""
    browser.signed_up("reset@example.com")
    browser.cookies.clear()
    answers = [
        browser.post("/request-password-reset", json={"email": f"{name}@example.com"}) for name in ("reset", "nobody")
    ]
    assert answers[0].status_code == answers[1].status_code == 200
    assert answers[0].json() == answers[1].json()
    token = auth.mailed("Reset your password", "reset@example.com").path.rpartition("/")[2]
    assert refusal(browser.post("/reset-password", json={"newPassword": NEW, "token": "x" * 24}))[0] == 400
    assert browser.post("/reset-password", json={"newPassword": NEW, "token": token}).status_code == 200
    assert refusal(browser.post("/reset-password", json={"newPassword": PASSWORD, "token": token}))[0] == 400
    assert browser.sign_in("reset@example.com").status_code == 401
    assert browser.sign_in("reset@example.com", NEW).status_code == 200
    assert auth.mails.empty()
    assert auth.rows("select from app.verifications") == []


@pytest.mark.breadth
def test_verify_email(auth: Running, browser: Browser) -> None:
    """A link that was mailed marks the address as verified."""
    user_id = browser.signed_up("verify@example.com")
    query = "select email_verified from app.users where id = %s"
    assert auth.rows(query, user_id) == [(False,)]
    browser.post("/send-verification-email", json={"email": "verify@example.com"})
    link = auth.mailed("Verify your e-mail address", "verify@example.com")
    assert browser.get(link).status_code in (200, 302)
    assert auth.rows(query, user_id) == [(True,)]


def test_delete(auth: Running, browser: Browser, phone: Browser) -> None:
    """An account takes everything along that it owns, and nothing of anybody else's."""
    ann, bob = browser.signed_up("delete@example.com"), phone.signed_up("stays@example.com")
    for user_id in (ann, bob):
        add_todo(auth, user_id, "Buy milk")
        assert counts(auth, user_id) == {"users": 1, "todos": 1, "sessions": 1, "accounts": 1}
    assert refusal(browser.post("/delete-user", json={"password": "wrong horse"})) == (400, "INVALID_PASSWORD")
    assert counts(auth, ann)["users"] == 1
    assert browser.post("/delete-user", json={"password": PASSWORD}).status_code == 200
    assert counts(auth, ann) == {"users": 0, "todos": 0, "sessions": 0, "accounts": 0}
    assert counts(auth, bob) == {"users": 1, "todos": 1, "sessions": 1, "accounts": 1}
    assert browser.session() is None
    assert browser.sign_in("delete@example.com").status_code == 401
    assert browser.sign_up("delete@example.com").status_code == 200, "the address is free again"


def test_made_by_python(auth: Running, browser: Browser) -> None:
    """Whoever Python's Accounts made signs in once they have reset their password."""
    with Accounts(Settings(_env_file=None, auth_database_url=auth.database.url("auth").text())) as accounts:
        accounts.create("Python@example.com", name="Monty")
    assert browser.sign_in("python@example.com").status_code == 401
    browser.post("/request-password-reset", json={"email": "python@example.com"})
    token = auth.mailed("Reset your password", "python@example.com").path.rpartition("/")[2]
    assert browser.post("/reset-password", json={"newPassword": NEW, "token": token}).status_code == 200
    assert browser.sign_in("python@example.com", NEW).status_code == 200
