"""The Sqitch-compatible runner.

``plan/`` holds a plan and its grammar; ``projects`` puts it beside its folders, named by ``config``; ``script`` splits
scripts; ``registry/`` reads what is deployed and writes it, ``order`` tells what comes next; ``statements`` turns a
change into what is sent, ``client`` sends it; ``engine`` does one thing after the other, ``failures`` words what went
wrong. ``runner`` migrates and reverts, ``inspection`` only looks, ``adoption`` finds out what is there already.
``targets`` names databases, ``locks/`` foresees who waits, ``authoring`` writes plans and scripts, from ``templates``.
"""
