"""Who reaches whose rows is asserted as a whole, and a hole fails the test with its proof."""

import pytest

from userscope.testing import Sandbox, reach

ALICE, NOBODY = "Alice (app_user)", "a session without an identity (app_user)"


def test_reach(userscope: Sandbox) -> None:
    """The example of docs/probe.md; what it puts in is gone, and a hole is told of."""
    assert reach(userscope) == {
        f"app.{name}": {ALICE: "own rows", NOBODY: "nothing"}
        for name in ("account", "memberships", "organization", "todos")
    }
    with userscope.admin() as connection:
        assert connection.execute("select from app.users").fetchall() == []
        connection.execute("alter policy delete_own on app.todos using (true)")
        connection.commit()
    with pytest.raises(pytest.fail.Exception, match=r"ERROR  app\.todos: Alice .app_user. deletes Bob's row"):
        reach(userscope)
