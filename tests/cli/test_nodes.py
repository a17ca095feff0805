"""``userscope nodes`` where there is one node; tests/citus runs it where there are several."""

from tests.cli.runner import Runner


def test_one_node(cli: Runner) -> None:
    """Without Citus it says so, and what to read, in one error."""
    for words in (["nodes"], ["nodes", "--check", "--json"]):
        done = cli(*words, code=2)
        assert (done.stdout, done.stderr) == (
            "",
            "ERROR:  this database is on one node: it has no Citus\n"
            "DETAIL:  There are no other nodes to be looked after.\n"
            "HINT:  docs/citus.md says how one node becomes several.\n",
        )
