"""The long form, a part of ``make soak``: every outage again and again; prints the counts, exit code 1 for a fault."""

import argparse
import sys
import time

from tests.outages.outages import OUTAGES, carry_out
from tests.outages.rig import lasting


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.outages", description="Outages under load.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each outage happens")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    faults: list[str] = []
    print(
        "| outage | times | read | written | failed before COMMIT | at COMMIT: there / not there | seconds | faults |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with lasting() as cluster:
        for name, outage in OUTAGES.items():
            began = time.monotonic()
            rounds = arguments.rounds if outage.repeatable else 1
            truth = carry_out(outage, cluster, rounds=rounds, seed=arguments.seed).truth
            written, there = sum(map(len, truth.written.values())), len(truth.appeared)
            row = (
                name,
                rounds,
                truth.outcomes["read"],
                written,
                truth.outcomes["Unavailable"],
                f"{there}, {len(truth.unknown) - there}",
                round(time.monotonic() - began),
                len(truth.faults),
            )
            print(f"| {' | '.join(map(str, row))} |", flush=True)
            faults += truth.faults
    for fault in faults[:10]:
        print(fault)
    return int(bool(faults))


sys.exit(main())
