"""Readers on a standby."""
