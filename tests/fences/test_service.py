"""The todo service on a fenced table: its own tests, as they are."""

from tests.service import test_todos

globals().update({name: test for name, test in vars(test_todos).items() if name.startswith("test_")})
