"""Proof by trying: fill a copy of a schema with two worlds, act as everybody, and show what reached across.

``catalog`` reads the schema and ``meaning`` guesses what its names mean; ``worlds`` and ``filling`` make the rows;
``identities`` says who can act and ``stage`` acts; ``attacks`` try, ``findings`` keeps what they showed, and ``proof``
shows it once more in a session of its own; ``run`` does it all.
"""
