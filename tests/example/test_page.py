"""The page in a real browser: two people, each in a browser of their own, and each only with their own list."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.better_auth.people import PASSWORD
from tests.example.page import add, picture, sign_up, titles
from tests.example.page import ann as ann
from tests.example.page import bob as bob
from tests.example.page import chromium as chromium
from tests.example.page import contexts as contexts
from tests.example.running import Example


@pytest.mark.breadth
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
