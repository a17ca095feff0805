"""Benchmarks: each compares two things measured in one run."""
