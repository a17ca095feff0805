"""A team's list beside one's own: by the API, and on the page, where one makes a team, invites and is invited."""

import pytest
from playwright.sync_api import Page, expect

from tests.example.page import add, picture, sign_up, titles
from tests.example.page import ann as page_ann
from tests.example.page import bob as page_bob
from tests.example.page import chromium as chromium
from tests.example.page import contexts as contexts
from tests.example.running import Example, Person

__all__ = ["page_ann", "page_bob"]


def team_titles(person: Person) -> list[str]:
    """What the service shows of the list of the team that they are in."""
    answer = person.ask(person.token(), "GET", "/team/todos")
    assert answer.status_code == 200, answer.text
    return [todo["title"] for todo in answer.json()]


def test_two_teams(ann: Person, bob: Person) -> None:
    """A team's todos are its members', in the team that their browser is in; one's own are there beside them."""
    ann.signed_up("teams-ann@example.com")
    bob.signed_up("teams-bob@example.com")
    acme = ann.founded("teams-acme")
    bob.founded("teams-beta")
    made = ann.ask(ann.token(), "POST", "/team/todos", json={"title": "Acme's"})
    assert made.status_code == 201, made.text
    ann.add(ann.token(), "Ann's own")
    assert (team_titles(ann), ann.titles(ann.token())) == (["Acme's"], ["Ann's own"])
    assert (team_titles(bob), bob.titles(bob.token())) == ([], [])
    path = f"/team/todos/{made.json()['id']}"
    assert bob.ask(bob.token(), "PATCH", path, json={"completed": True}).status_code == 404
    assert bob.ask(bob.token(), "DELETE", path).status_code == 404
    assert ann.ask(ann.token(), "PATCH", path, json={"completed": True}).json()["completed"] is True
    ann.organize("set-active", organizationId=None)
    assert (team_titles(ann), ann.titles(ann.token())) == ([], ["Ann's own"])
    assert ann.ask(ann.token(), "POST", "/team/todos", json={"title": "Nobody's"}).status_code == 403
    ann.organize("set-active", organizationId=acme)
    assert team_titles(ann) == ["Acme's"]


def team_list(page: Page) -> list[str]:
    return page.locator("#team-todos li span").all_text_contents()


@pytest.mark.breadth
def test_page(example: Example, page_ann: Page, page_bob: Page) -> None:
    """Make a team, invite, verify, accept, share a list, be removed; the own lists stay one's own."""
    ann, bob = page_ann, page_bob
    sign_up(ann, "team_ann")
    add(ann, "Ann's own")
    ann.get_by_label("What a new team is called").fill("Acme & Co")
    ann.get_by_role("button", name="Make a team").click()
    entry = ann.get_by_label("What has the team to do?")
    expect(entry).to_be_focused()
    expect(ann.locator("#done")).to_have_text("Made. This is the list of Acme & Co.")
    entry.fill("Draw the plan")
    ann.keyboard.press("Enter")
    expect(ann.locator("#team-todos li")).to_have_count(1)
    ann.get_by_label("Whom to invite").fill("team_bob@example.com")
    ann.get_by_role("button", name="Invite", exact=True).click()
    expect(ann.locator("#done")).to_contain_text("Invited team_bob@example.com.")
    picture(ann, "5-team-ann")
    sign_up(bob, "team_bob")
    expect(bob.get_by_text("invites you to")).to_have_count(0)  # the address is not verified yet
    bob.get_by_role("button", name="Verify yours").click()
    expect(bob.locator("#done")).to_contain_text("A link is on its way.")
    bob.goto(example.mail("team_bob@example.com", "Verify"))
    expect(bob.get_by_text("Team_Ann invites you to Acme & Co.")).to_be_visible()
    picture(bob, "6-invited-bob")
    bob.get_by_role("button", name="Accept the invitation to Acme & Co").click()
    expect(bob.locator("#team-todos li")).to_have_count(1)
    expect(bob.locator("#mates")).to_have_text("Team_Ann (owner), Team_Bob (member)")
    expect(bob.get_by_label("Whom to invite")).to_be_hidden()
    bob.get_by_role("checkbox", name="Draw the plan").check()
    add(bob, "Bob's own")
    bob.get_by_label("Team", exact=True).select_option("None")
    expect(bob.locator("#done")).to_have_text("You are in no team.")
    assert (titles(bob), team_list(bob)) == (["Bob's own"], [])
    bob.get_by_label("Team", exact=True).select_option("Acme & Co")
    expect(bob.locator("#team-todos li")).to_have_count(1)
    ann.reload()
    expect(ann.get_by_role("checkbox", name="Draw the plan")).to_be_checked()
    assert (titles(ann), team_list(ann)) == (["Ann's own"], ["Draw the plan"])
    picture(ann, "7-shared-ann")
    example.rows("delete from app.members using app.users where user_id = users.id and username = 'team_bob'")
    bob.reload()
    expect(bob.locator("#todos li")).to_have_count(1)
    assert (titles(bob), team_list(bob)) == (["Bob's own"], []), "who was removed goes on with their own"


@pytest.mark.breadth
def test_another_tab(page_ann: Page) -> None:
    """What is typed for one team is not written for another, to which another tab has switched meanwhile."""
    sign_up(page_ann, "tabs_ann")
    for name in ("First", "Second"):
        page_ann.get_by_label("What a new team is called").fill(name)
        page_ann.get_by_role("button", name="Make a team").click()
        expect(page_ann.locator("#done")).to_contain_text(f"This is the list of {name}.")
    other = page_ann.context.new_page()
    other.goto("/")
    which = other.get_by_label("Team", exact=True)
    which.select_option("First")
    expect(other.locator("#done")).to_contain_text("This is the list of First.")
    # The token of the tab that did not switch ends: the service refuses it, and it gets another.
    page_ann.route("**/team/todos", lambda route: route.fulfill(status=401, body="{}"), times=1)
    page_ann.get_by_label("What has the team to do?").fill("For the second")
    page_ann.get_by_role("button", name="Add", exact=True).last.click()
    expect(page_ann.get_by_role("alert")).to_have_text(
        "You are in another team meanwhile: nothing was done, and this is its list."
    )
    expect(page_ann.get_by_label("Team", exact=True)).to_have_value(which.input_value())
    assert team_list(page_ann) == []
