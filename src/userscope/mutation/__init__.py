"""Mutation testing of policies: would the tests notice if the database let more, or less, through?

``catalog`` reads what a database consists of; ``policies``, ``grants`` and ``structure`` say what could be wrong with
it, each a ``Mutant``; ``laboratory`` makes a private copy; ``trials`` runs the tests on one mutated clone each.
"""
