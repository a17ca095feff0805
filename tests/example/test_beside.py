"""Two people side by side on one page, and what PostgreSQL answers to the one who reaches for the other's row."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.example.page import add, picture, sign_up, titles
from tests.example.page import ann as ann
from tests.example.page import chromium as chromium
from tests.example.page import contexts as contexts
from tests.example.running import Example

_KEPT = ["0 rows", "0 rows", "0 rows", "ERROR:  permission denied for table todos"]
_OWN = ["1 row", "1 row", "1 row", "ERROR:  permission denied for table todos"]


@pytest.mark.breadth
def test_reach(example: Example) -> None:
    """Another's row is reached by no statement; its owner's statements reach it, and take nothing away."""
    with example.person() as ann, example.person() as bob:
        ann.signed_up("reach-ann@example.com")
        owner = bob.signed_up("reach-bob@example.com")
        tokens = ann.token(), bob.token()
        row = {"owner_id": owner, "todo_id": bob.add(tokens[1], "Fix the bike")}
        answers = [
            person.ask(token, "POST", "/reach", json=row) for person, token in zip((ann, bob), tokens, strict=True)
        ]
        assert [[each["answer"] for each in answer.json()] for answer in answers] == [_KEPT, _OWN]
        assert answers[0].json()[0]["statement"] == f"select title from app.todos where id = '{row['todo_id']}'"
        assert bob.titles(tokens[1]) == ["Fix the bike"]
    assert example.rows("select title, completed from app.todos where id = %s", row["todo_id"]) == [
        ("Fix the bike", False)
    ]


@pytest.mark.breadth
def test_no_row(example: Example) -> None:
    """What is no id is refused; who has no token is, too."""
    with example.person() as ann:
        ann.signed_up("reach-none@example.com")
        assert ann.ask(ann.token(), "POST", "/reach", json={"owner_id": "1", "todo_id": "'; --"}).status_code == 422
        assert ann.ask(None, "POST", "/reach", json={}).status_code == 401


@pytest.mark.breadth
def test_guarded(example: Example) -> None:
    """The page says what it may do; nothing of it stands in the page itself, so nothing that is put there would run."""
    page = httpx.get(example.page)
    policy = dict(each.split(" ", 1) for each in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {example.auth}"
    assert policy["frame-ancestors"] == "'none'"
    assert page.headers["referrer-policy"] == "no-referrer", "a link that sets a password is nobody's to know"
    assert "<style" not in page.text
    assert "<script>" not in page.text


@pytest.mark.breadth
def test_side_by_side(example: Example, ann: Page) -> None:
    """Bob is let in beside Ann; she does not reach his row, he does; when she leaves he is gone with it."""
    said: list[str] = []
    ann.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    sign_up(ann, "beside_ann")
    add(ann, "Buy milk")
    ann.get_by_role("button", name="Let Bob in").click()
    reach = ann.get_by_role("button", name="Reach for Bob's row as you")
    expect(reach).to_be_focused()
    reach.click()
    expect(ann.locator("#answers dd")).to_have_text(_KEPT)
    expect(ann.locator("#seen")).to_have_text("You are not Bob: 0 of 4 statements reached it.")
    picture(ann, "6-kept")
    ann.get_by_role("button", name="The same as Bob").click()
    expect(ann.locator("#answers dd")).to_have_text(_OWN)
    picture(ann, "7-reached")
    assert titles(ann) == ["Buy milk"]
    newest = "select owner_id from app.todos where title = 'Plan your surprise party' order by created_at desc limit 1"
    [(bob,)] = example.rows(newest)
    ann.reload()
    expect(ann.get_by_role("button", name="Let Bob in")).to_be_visible()
    assert example.rows("select title from app.todos where owner_id = %s", bob) == [("Plan your surprise party",)]
    ann.get_by_role("button", name="Let Bob in").click()
    expect(reach).to_be_visible()
    [(another,)] = example.rows(newest)
    assert another != bob
    with ann.expect_response("**/delete-user"):
        ann.get_by_role("button", name="Sign out").click()
    assert example.rows("select from app.users where id = %s", another) == []
    assert example.rows("select from app.users where id = %s", bob) == [()], "the one of before was not waited for"
    assert said == [], "the browser had nothing to refuse"


@pytest.mark.breadth
def test_forgotten(example: Example, ann: Page) -> None:
    """Who has forgotten their password sets another by a link, once."""
    sign_up(ann, "forgot_ann")
    ann.get_by_role("button", name="Sign out").click()
    ann.get_by_role("button", name="Forgot your password?").click()
    picture(ann, "8-forgot")
    ann.get_by_label("E-mail").fill("forgot_ann@example.com")
    ann.get_by_role("button", name="Send me a link").click()
    expect(ann.locator("#told")).to_contain_text("a link is on its way")
    link = example.mail("forgot_ann@example.com")
    ann.goto(link)
    expect(ann.get_by_role("button", name="Set this password")).to_be_visible()
    assert "token" not in ann.url
    picture(ann, "9-reset")
    ann.get_by_label("Password").fill("another horse battery")
    ann.get_by_role("button", name="Set this password").click()
    expect(ann.locator("#told")).to_have_text("That is your password now. Sign in with it.")
    ann.get_by_label("E-mail or username").fill("forgot_ann")
    ann.get_by_label("Password").fill("another horse battery")
    ann.get_by_role("button", name="Sign in").click()
    expect(ann.get_by_text("Signed in as")).to_have_text("Signed in as forgot_ann")
    ann.goto(link)
    expect(ann.locator("#told")).to_have_text("That link does not count any more. Ask for another.")
