"""A project's plan: its changes, tags and dependencies with Sqitch's ids, and how the file is read."""
