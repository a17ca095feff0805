"""What a person does on the page."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

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
