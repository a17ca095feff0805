"""app_auth has exactly what Better Auth needs: whichever privilege it loses, something that people do breaks."""

import os

import pytest

from tests.better_auth.grants import REASONS, Journey, needed, privileges, table
from tests.clusters import ROOT, Database
from tests.docs.generate import replaced

pytestmark = pytest.mark.breadth  # every privilege is taken and given back: a journey each


PAGES: dict[Journey, str] = {"journey": "better-auth.md", "teams": "organizations.md"}
STEPS: dict[Journey, set[str]] = {
    "journey": {
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
    },
    "teams": {
        "sign up",
        "create an organization",
        "change it",
        "invite",
        "invite again",
        "accept",
        "change a role",
        "sign in to it",
        "remove a member",
        "delete it",
    },
}
SOME: dict[Journey, set[str]] = {
    "journey": {"update on app.sessions (expires_at)", "delete on app.users", "usage on schema app"},
    "teams": {"update on app.sessions (active_organization_id)", "delete on app.members"},
}


@pytest.fixture(scope="module", params=list(PAGES))
def journey(request: pytest.FixtureRequest) -> Journey:
    """Whose way it is: a person's, or an organization's."""
    named: Journey = request.param
    return named


@pytest.fixture(scope="module")
def breaks(node: None, auth_database: Database, journey: Journey) -> dict[str, str | None]:  # noqa: ARG001  # node is installed by then
    """For each privilege the first step that breaks without it."""
    return needed(auth_database, journey)


def test_each_is_needed(journey: Journey, breaks: dict[str, str | None]) -> None:
    """What breaks nothing is what stands in the list, with its reason."""
    assert {name for name, step in breaks.items() if step is None} == set(REASONS[journey])


def test_steps(journey: Journey, breaks: dict[str, str | None]) -> None:
    """Nearly every step needs something that no step before it does."""
    assert set(breaks.values()) - {None} == STEPS[journey]


def test_all_were_tried(journey: Journey, breaks: dict[str, str | None], auth_database: Database) -> None:
    """Each was taken and given back: they are the same afterwards, and there are as many as in policies/."""
    names = [privilege["name"] for privilege in privileges(auth_database, journey)]
    assert list(breaks) == names
    assert set(names) >= SOME[journey]


def test_page(journey: Journey, breaks: dict[str, str | None]) -> None:
    """The page says for each privilege why it stands; UPDATE_DOCS=1 writes it anew."""
    page = ROOT / "docs" / PAGES[journey]
    current = replaced(page.read_text(encoding="utf-8"), "grants", table(journey, breaks))
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(current, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == current
