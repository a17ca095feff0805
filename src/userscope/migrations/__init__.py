"""The Sqitch-compatible runner: ``plan`` → ``registry`` → ``script`` → ``runner``."""
