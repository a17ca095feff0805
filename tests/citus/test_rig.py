"""What the other tests stand on: nodes that know each other, and what is ours on each of them."""

from tests.citus.rig import Distributed, Nodes

_NODES = "select groupid, isactive, shouldhaveshards, metadatasynced from pg_dist_node order by groupid"


def test_a_database_lies_on_every_node(distributed: Distributed) -> None:
    assert distributed.execute(_NODES) == [(0, True, False, True), (1, True, True, True), (2, True, True, True)]
    for node in distributed.all:
        with node.superuser_connection() as superuser:
            assert superuser.execute("select to_regclass('app.account') is not null").fetchone() == (True,)


def test_a_worker_comes_later(nodes: Nodes) -> None:
    made = nodes.database(workers=1)
    try:
        assert len(made.execute(_NODES)) == 2
        made.add(nodes.start())
        assert len(made.execute(_NODES)) == 3
    finally:
        made.drop()
