"""``make soak``: the long form; prints what happened, exit code 1 if anything was wrong."""

import argparse
import sys

from tests.clusters import cluster_of
from tests.soak.soak import Soak


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="make soak", description="Many users over few connections, while all breaks.")
    parser.add_argument("--transactions", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--connections", type=int, default=8, help="of PgBouncer to the server")
    parser.add_argument("--chaos", type=float, default=3.0, help="seconds between two disasters")
    parser.add_argument("--seed", type=int, default=0)
    soak = Soak(**vars(parser.parse_args()))
    with cluster_of(None, 18) as cluster:
        soak.carry_out(cluster)
    truth = soak.truth
    print(f"{sum(truth.outcomes.values())} transactions of {soak.users} users in {soak.seconds:.0f} s")
    print(f"  outcomes     {dict(truth.outcomes.most_common())}")
    print(f"  disasters    {soak.disasters}")
    print(f"  connections  {soak.most_connections} to the server at most")
    print(f"  writes       {sum(map(len, truth.written.values()))} acknowledged, {len(truth.undone)} undone, "
          f"{len(truth.unknown)} nobody knows")  # fmt: skip
    print(f"  faults       {len(truth.faults)}")
    for fault in truth.faults[:10]:
        print(f"    {fault}")
    return int(bool(truth.faults))


sys.exit(main())
