"""The page in a real browser: two people, each in a browser of their own, and each only with their own list."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Browser, BrowserContext, Dialog, Page, Route, expect, sync_playwright

from tests.better_auth.people import PASSWORD
from tests.clusters import unavailable
from tests.example.running import Example

_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    program = shutil.which("chromium")
    if program is None:
        unavailable("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def contexts(example: Example, chromium: Browser) -> Iterator[tuple[BrowserContext, BrowserContext]]:
    """Two browsers that share nothing, both at the page."""
    made = tuple(chromium.new_context(base_url=example.page, accept_downloads=True) for _ in range(2))
    for context in made:
        context.set_default_timeout(60_000)
        context.new_page().goto("/")
    yield made[0], made[1]
    for context in made:
        context.close()


@pytest.fixture
def ann(contexts: tuple[BrowserContext, BrowserContext]) -> Page:
    return contexts[0].pages[0]


@pytest.fixture
def bob(contexts: tuple[BrowserContext, BrowserContext]) -> Page:
    return contexts[1].pages[0]


def picture(page: Page, name: str) -> None:
    """Keep a screenshot for somebody to look at, where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


def sign_up(page: Page, name: str) -> None:
    page.get_by_role("button", name="Sign up").click()
    picture(page, f"sign-up-{name}")
    page.get_by_label("Name", exact=True).fill(name.title())
    page.get_by_label("Username").fill(name)
    page.get_by_label("E-mail").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Signed in as")).to_have_text(f"Signed in as {name}")


def add(page: Page, title: str) -> None:
    page.get_by_label("What is to be done?").fill(title)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("listitem").filter(has_text=title)).to_be_visible()


def titles(page: Page) -> list[str]:
    return page.locator("#todos li span").all_text_contents()


def test_two_people(example: Example, ann: Page, bob: Page) -> None:
    """Sign up, add, tick, delete, sign out, sign in again: each person finds their own list, and only that."""
    picture(ann, "1-door")
    delete = ann.get_by_role("button", name="Delete my account")
    expect(delete).to_be_hidden()
    sign_up(ann, "page_ann")
    expect(delete).to_be_visible()
    sign_up(bob, "page_bob")
    expect(ann.get_by_text("Nothing to do.")).to_be_visible()
    for title in ("Buy milk", "Call the notary", "Water the plants"):
        add(ann, title)
    add(bob, "Fix the bike")
    with ann.expect_response("**/todos/*"):
        ann.get_by_role("checkbox", name="Buy milk").check()
    ann.get_by_role("button", name="Delete “Call the notary”").click()
    expect(ann.get_by_role("listitem")).to_have_count(2)
    picture(ann, "2-ann")
    picture(bob, "2-bob")
    for page in (ann, bob):
        page.reload()
        expect(page.get_by_role("listitem").first).to_be_visible()
    assert titles(ann) == ["Water the plants", "Buy milk"]
    assert titles(bob) == ["Fix the bike"]
    assert ann.get_by_role("checkbox", name="Buy milk").is_checked()
    assert {title for (title,) in example.rows("select title from app.todos")} >= {*titles(ann), *titles(bob)}
    ann.get_by_role("button", name="Sign out").click()
    expect(ann.get_by_label("Password")).to_be_visible()
    assert titles(ann) == []
    ann.get_by_label("E-mail or username").fill("page_bob")
    ann.get_by_label("Password").fill(PASSWORD)
    ann.get_by_role("button", name="Sign in").click()
    expect(ann.get_by_role("listitem")).to_have_count(1)
    assert titles(ann) == ["Fix the bike"], "the browser is Ann's, the person now Bob"


@pytest.mark.breadth
def test_what_is_wrong_is_said(ann: Page) -> None:
    """A refusal of Better Auth, and one of the service, stand on the page as sentences."""
    ann.get_by_label("E-mail or username").fill("nobody@example.com")
    ann.get_by_label("Password").fill("wrong horse battery")
    ann.get_by_role("button", name="Sign in").click()
    said = ann.get_by_role("alert")
    expect(said).to_have_text("Invalid email or password")
    picture(ann, "3-refused")
    sign_up(ann, "wrong_ann")
    expect(said).to_be_empty()
    ann.get_by_label("What is to be done?").fill("   ")
    ann.get_by_role("button", name="Add").click()
    expect(said).to_have_text("The request is not valid.\ntitle: a title is not blank")
    picture(ann, "4-invalid")
    add(ann, "Buy milk")
    expect(said).to_be_empty()


@pytest.mark.breadth
def test_titles_are_text(ann: Page) -> None:
    """Whatever somebody types stays text: no element is made of it, and no script runs."""
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    ann.on("dialog", note)
    sign_up(ann, "script_ann")
    title = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
    add(ann, title)
    ann.reload()
    expect(ann.get_by_role("listitem")).to_have_count(1)
    assert titles(ann) == [title]
    assert ann.locator("#todos img, #todos script").count() == 0
    assert dialogs == []


@pytest.mark.breadth
def test_a_long_list(example: Example, ann: Page) -> None:
    """The page asks for more where there is more, and shows every todo once."""
    sign_up(ann, "long_ann")
    example.rows(
        "insert into app.todos (owner_id, title, created_at) "
        "select id, 'todo ' || n, '2026-01-01' from app.users, generate_series(1, 120) as n where username = 'long_ann'"
    )
    ann.reload()
    more = ann.get_by_role("button", name="Show more")
    for count in (50, 100, 120):
        expect(ann.get_by_role("listitem")).to_have_count(count)
        if count < 120:
            more.click()
    expect(more).to_be_hidden()
    assert sorted(titles(ann)) == sorted(f"todo {n}" for n in range(1, 121))


@pytest.mark.breadth
def test_export_and_delete(example: Example, ann: Page, tmp_path: Path) -> None:
    """One can take along everything that is stored, and then be gone with all of it."""
    sign_up(ann, "export_ann")
    add(ann, "Buy milk")
    with ann.expect_download() as download:
        ann.get_by_role("button", name="Download all my data").click()
    download.value.save_as(tmp_path / "todos.json")
    exported = json.loads((tmp_path / "todos.json").read_text(encoding="utf-8"))
    assert exported["account"]["email"] == "export_ann@example.com"
    assert [todo["title"] for todo in exported["todos"]] == ["Buy milk"]
    ann.once("dialog", lambda dialog: dialog.accept())
    ann.get_by_role("button", name="Delete my account").click()
    expect(ann.get_by_label("Password")).to_be_visible()
    assert example.rows("select from app.users where username = 'export_ann'") == []


@pytest.mark.breadth
def test_by_keyboard(ann: Page) -> None:
    """No mouse is needed: each control has a name and is reached by Tab, the form is sent by Enter."""
    sign_up(ann, "key_ann")
    expect(ann.get_by_label("What is to be done?")).to_be_focused()
    ann.keyboard.type("Buy milk")
    ann.keyboard.press("Enter")
    expect(ann.get_by_role("listitem")).to_have_count(1)
    ann.get_by_label("What is to be done?").focus()
    ann.keyboard.press("Tab")
    ann.keyboard.press("Tab")
    expect(ann.get_by_role("checkbox", name="Buy milk")).to_be_focused()
    ann.keyboard.press("Space")
    expect(ann.get_by_role("checkbox", name="Buy milk")).to_be_checked()
    ann.keyboard.press("Tab")
    ann.keyboard.press("Enter")
    expect(ann.get_by_text("Nothing to do.")).to_be_visible()


def expire(page: Page) -> list[str]:
    """Let the service refuse the token of the next request about the list; return what was refused, by then."""
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route.request.method)
        route.fulfill(status=401, content_type="application/problem+json", body='{"status": 401}')

    page.route("**/todos", refuse_once)
    return refused


@pytest.mark.breadth
def test_token_runs_out(ann: Page) -> None:
    """A token that the service refuses is replaced by a new one, without a word."""
    sign_up(ann, "late_ann")
    add(ann, "Buy milk")
    refused = expire(ann)
    add(ann, "Fix the bike")
    assert refused == ["POST"]
    assert titles(ann) == ["Fix the bike", "Buy milk"]


REPLACED = "Somebody else has signed in meanwhile: nothing was done, and this is their list."


def in_another_tab(page: Page, name: str) -> None:
    """Sign out in another tab of the same browser, and sign up there as somebody else."""
    other = page.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Sign out").click()
    sign_up(other, name)
    other.close()


def owned(example: Example, name: str) -> list[str]:
    """The titles of the account of this name, of which there must be one."""
    assert example.rows("select from app.users where username = %s", name) == [()]
    query = "select title from app.todos join app.users on users.id = owner_id where username = %s order by title"
    return [title for (title,) in example.rows(query, name)]


@pytest.mark.breadth
def test_replaced_in_another_tab(example: Example, ann: Page) -> None:
    """A tab never goes on as somebody else: what its user asked for is not done for who has their cookie by then."""
    sign_up(ann, "tab_ann")
    add(ann, "Buy milk")
    in_another_tab(ann, "tab_bob")
    refused = expire(ann)
    ann.get_by_label("What is to be done?").fill("Call the notary")
    ann.get_by_role("button", name="Add").click()
    expect(ann.get_by_role("alert")).to_have_text(REPLACED)
    expect(ann.get_by_text("Signed in as")).to_have_text("Signed in as tab_bob")
    picture(ann, "5-replaced")
    assert (refused, titles(ann)) == (["POST"], [])
    add(ann, "Fix the bike")
    assert (owned(example, "tab_ann"), owned(example, "tab_bob")) == (["Buy milk"], ["Fix the bike"])


@pytest.mark.breadth
def test_replaced_before_deleting(example: Example, ann: Page) -> None:
    """Nor is the account of somebody else deleted."""
    sign_up(ann, "gone_ann")
    in_another_tab(ann, "gone_bob")
    ann.once("dialog", lambda dialog: dialog.accept())
    ann.get_by_role("button", name="Delete my account").click()
    expect(ann.get_by_role("alert")).to_have_text(REPLACED)
    expect(ann.get_by_text("Signed in as")).to_have_text("Signed in as gone_bob")
    assert (owned(example, "gone_ann"), owned(example, "gone_bob")) == ([], [])


@pytest.mark.breadth
def test_answer_too_late(example: Example, ann: Page) -> None:
    """What one person's request brings is not shown to the next one at the same page."""
    sign_up(ann, "slow_ann")
    example.rows(
        "insert into app.todos (owner_id, title) "
        "select id, 'todo ' || n from app.users, generate_series(1, 60) as n where username = 'slow_ann'"
    )
    ann.reload()
    expect(ann.get_by_role("listitem")).to_have_count(50)
    held: list[tuple[Route, APIResponse]] = []
    ann.route("**/todos?*after=*", lambda route: held.append((route, route.fetch())))
    ann.get_by_role("button", name="Show more").click()
    ann.get_by_role("button", name="Sign out").click()
    sign_up(ann, "slow_bob")
    [(route, answer)] = held
    assert len(answer.json()["items"]) == 10
    route.fulfill(response=answer)
    add(ann, "Fix the bike")
    assert titles(ann) == ["Fix the bike"]
