"""A search for answers that tell of rows which a policy hides: generated statements in two worlds.

Alice and all that is hers is the same in both; what others own is not. Whatever she is told there must be alike.
"""
