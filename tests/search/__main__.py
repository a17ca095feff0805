"""``make search``: the long form; prints what each round found, exit code 1 if anything was told, or a fault was not."""

import argparse
import sys
from itertools import cycle, product

from tests.attacks.arena import add_boards
from tests.clusters import Database, cluster_of, deploy, make_logins
from tests.search.faults import FAULTS
from tests.search.people import DIFFERENCES
from tests.search.probes import Probes
from tests.search.search import Finding, Search
from tests.search.teams import BOARDS, TEAMS, claiming, fill, with_teams
from tests.search.words import ACCOUNT, SECRETS, TODOS, Table, Words
from tests.search.worlds import Change, alice_seal, pair, prepare

ROUND = 5_000
OTHERS = (60, 2_000)
"""Rows of others: some pages, which a plan reads whole, and so many that it takes an index."""


def search(
    base: Database,
    difference: str,
    others: int,
    tables: tuple[Table, ...],
    probes: range,
    seed: int,
    fault: Change | None = None,
    *,
    teams: bool = False,
) -> Search:
    """One round: these probes, in a pair of worlds of its own; in organizations, where ``teams`` are searched."""
    with base.superuser_connection() as superuser:
        words = Words.of(superuser, others)
    every = Probes(seed, with_teams(words) if teams else words, tables, alice_seal())
    asked = map(every.probe, probes)
    with pair(base, difference, others, fill if teams else fault) as worlds:
        compared = all(table.fenced for table in tables)
        return Search(worlds, compared).run(map(claiming, asked) if teams else asked, until_found=fault is not None)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="make search", description="Statements in two worlds that others differ in.")
    parser.add_argument(
        "--probes", type=int, default=100_000, help="on fenced tables; a fourth of it more on each other kind"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pg", type=int, default=18, help="the version of PostgreSQL")
    arguments = parser.parse_args()
    seed, wrong = arguments.seed, 0
    print(f"PostgreSQL {arguments.pg}, seed {seed}", flush=True)
    with cluster_of(None, arguments.pg) as cluster:
        base = cluster.database()
        deploy(base.url())
        make_logins(base)
        prepare(base)
        add_boards(base)
        for name, (change, table) in FAULTS.items():
            done = search(base, "everything", 60, (table,), range(ROUND), seed, change)
            print(f"  control: {name:45} {'found' if done.found else 'NOT FOUND'} after {done.probes}", flush=True)
            wrong += not done.found
        for kind, tables, probes in (
            ("fenced", (SECRETS, ACCOUNT), arguments.probes),
            ("unfenced", (TODOS,), arguments.probes // 4),
            ("teams, fenced", TEAMS, arguments.probes // 4),
            ("teams, unfenced", (BOARDS,), arguments.probes // 4),
        ):
            teams = kind.startswith("teams")
            kinds = cycle(product(("everything",) if teams else DIFFERENCES, OTHERS))
            for start in range(0, probes, ROUND):
                difference, others = next(kinds)
                numbers = range(start, min(start + ROUND, probes))
                done = search(base, difference, others, tables, numbers, seed, teams=teams)
                print(f"  {kind:15} {numbers.stop:7} probes, {difference} of {others}: {done}", flush=True)
                fenced = all(table.fenced for table in tables)
                faults: list[Finding] = done.foreign + (done.told_apart if fenced else done.rows_apart)
                for fault in faults[:3]:
                    print(fault, flush=True)
                wrong += len(faults)
    print(f"{wrong} wrong")
    return int(bool(wrong))


sys.exit(main())
