"""The Sqitch-compatible runner.

``grammar`` reads a ``plan``; ``projects`` puts it beside its folders, named by ``config``; ``script`` splits scripts;
``registry`` tells what is deployed, ``order`` what comes next; ``wire`` turns a change into messages, with those of
``bookkeeping``; ``session`` sends them; ``work`` does one thing after the other, ``failures`` words what went wrong.
``runner`` migrates and reverts, ``inspection`` only looks.
"""
