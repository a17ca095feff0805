"""Mutation testing of policies: would the tests notice if the database let more, or less, through?

``operators/*.sql`` say what could be wrong with a database; ``mutants`` asks them; ``selection`` chooses; ``scratch``
makes a private copy; ``execute`` runs the tests on one mutated clone each; ``report`` tells.
"""
