"""app_auth has exactly what Better Auth needs: whichever privilege it loses, something that people do breaks."""

import os

import pytest

from tests.better_auth.grants import REASONS, needed, privileges, table
from tests.clusters import ROOT, Database
from tests.docs.generate import replaced

pytestmark = pytest.mark.breadth  # every privilege is taken and given back: a journey each


@pytest.fixture(scope="module")
def breaks(node: None, auth_database: Database) -> dict[str, str | None]:  # noqa: ARG001  # node is installed by then
    """For each privilege the first step that breaks without it."""
    return needed(auth_database)


def test_each_is_needed(breaks: dict[str, str | None]) -> None:
    """What breaks nothing is what stands in the list, with its reason."""
    assert {name for name, step in breaks.items() if step is None} == set(REASONS)


def test_steps(breaks: dict[str, str | None]) -> None:
    """Nearly every step needs something that no step before it does."""
    assert set(breaks.values()) - {None} == {
        "make a key",
        "sign up",
        "update the user",
        "change the e-mail address",
        "verify the e-mail address",
        "come back after two days",
        "sign out everywhere else",
        "reset the password",
        "sign up by a provider",
        "sign in by a provider",
        "allow the provider more",
        "delete the account",
    }


def test_all_were_tried(breaks: dict[str, str | None], auth_database: Database) -> None:
    """Each was taken and given back: they are the same afterwards, and there are as many as in policies/."""
    names = [privilege["name"] for privilege in privileges(auth_database)]
    assert list(breaks) == names
    assert "update on app.sessions (expires_at)" in names
    assert "delete on app.users" in names
    assert "usage on schema app" in names


def test_page(breaks: dict[str, str | None]) -> None:
    """docs/better-auth.md says for each privilege why it stands; UPDATE_DOCS=1 writes it anew."""
    page = ROOT / "docs" / "better-auth.md"
    current = replaced(page.read_text(encoding="utf-8"), "grants", table(breaks))
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(current, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == current
