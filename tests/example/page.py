"""What a person does on the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.better_auth.people import PASSWORD
from tests.chromium import chromium as chromium
from tests.chromium import picture as picture
from tests.example.running import Example


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
    page.locator("#add").get_by_role("button", name="Add").click()
    expect(page.get_by_role("listitem").filter(has_text=title)).to_be_visible()


def titles(page: Page) -> list[str]:
    return page.locator("#todos li span").all_text_contents()
