"""The page in a browser where somebody else signs in meanwhile, or a token runs out."""

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.example.page import add, picture, sign_up, titles
from tests.example.page import ann as ann
from tests.example.page import chromium as chromium
from tests.example.page import contexts as contexts
from tests.example.running import Example


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
