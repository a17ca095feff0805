"""Sqitch's registry: ``read`` tells what is deployed, ``write`` records what was done."""
