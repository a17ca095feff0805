"""What axe finds of the page, in each of its states, light and dark, wide and at 320 px: nothing."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from examples.todo_api.better_auth import install
from tests.example.page import add, picture, sign_up
from tests.example.page import chromium as chromium
from tests.example.running import Example

_AXE = Path(__file__).with_name("axe")


@pytest.fixture(scope="module")
def axe(node: None) -> str:  # noqa: ARG001  # Node.js is there by then
    """Its script."""
    install(print, _AXE, "axe")
    return (_AXE / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(params=["light", "dark"])
def narrow(request: pytest.FixtureRequest, example: Example, chromium: Browser) -> Iterator[Page]:
    """The page in a window as narrow as a page of 1,280 px at a zoom of 400 %."""
    context = chromium.new_context(
        base_url=example.page, color_scheme=request.param, viewport={"width": 320, "height": 640}
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


def found(page: Page, axe: str) -> list[Any]:
    """What axe finds; the script comes by the debugger, which no policy of the page's stops."""
    page.evaluate(axe)
    violations = page.evaluate("axe.run().then(({ violations }) => violations)")
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations]


def fits(page: Page) -> bool:
    """Nothing is to be scrolled sideways for."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.breadth
def test_nothing_found(narrow: Page, axe: str, request: pytest.FixtureRequest) -> None:
    """Whoever cannot see, hear, or hold a mouse, uses all of it."""
    scheme = request.node.callspec.params["narrow"]
    look: Callable[[str], None] = lambda state: picture(narrow, f"{scheme}-{state}")  # noqa: E731
    states: dict[str, list[Any]] = {}

    def state(name: str) -> None:
        expect(narrow.locator("[aria-busy=true]")).to_have_count(
            0
        )  # what is under way looks as if it could not be used
        look(name)
        assert fits(narrow), name
        states[name] = found(narrow, axe)

    state("door")
    narrow.get_by_role("button", name="Forgot your password?").click()
    state("forgot")
    narrow.get_by_role("button", name="Sign in").click()
    sign_up(narrow, f"axe_{scheme}")
    state("empty")
    add(narrow, "Buy milk, " + "very much of it " * 8)
    narrow.get_by_label("What a new team is called").fill("The team of " + "very many of us " * 5)
    narrow.get_by_role("button", name="Make a team").click()
    narrow.get_by_label("What has the team to do?").fill("Draw the plan")
    narrow.get_by_role("button", name="Add", exact=True).last.click()
    expect(narrow.locator("#team-todos li")).to_have_count(1)
    state("in a team")
    narrow.get_by_role("button", name="Let Bob in").click()
    narrow.get_by_role("button", name="Reach for Bob's row as you").click()
    expect(narrow.locator("#answers dd")).to_have_count(4)
    state("reached for")
    assert {name: each for name, each in states.items() if each} == {}, json.dumps(states, indent=1)
    narrow.evaluate("document.querySelector('#add input').removeAttribute('aria-label')")
    narrow.evaluate("document.querySelector('#add input').removeAttribute('placeholder')")
    assert [name for name, _ in found(narrow, axe)] == ["label"], "the control: it does find what is wrong"
