"""Proof by trying: fill a copy of a schema with two worlds, act as everybody, and show what reached across.

The schema: ``catalog`` reads it, ``meaning`` guesses by ``words`` what its names mean, ``profiles`` know platforms, and
``platform`` stands in for one. The rows: ``worlds`` make their values, ``filling`` puts them in. Acting: ``identities``
say who can, ``stage`` acts, ``sight`` looks, ``statements`` are written; ``scene`` holds it all. Trying: ``rosters``
takes Alice off lists, ``attacks`` try, ``findings`` keeps what they showed, ``proof`` shows it once more in a session
of its own. Telling: ``coverage``, ``answers``, ``render``, and ``beside`` an audit. ``run`` does it all.
"""
