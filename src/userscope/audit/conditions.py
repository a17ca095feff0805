"""How a condition reads that PostgreSQL wrote."""

import re

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")


def shortened(condition: str) -> str:
    """Take off what PostgreSQL adds when it writes a condition: outer parentheses, and the name of a sub-select."""
    text = re.sub(r"\( SELECT (\S*\(\)) AS [^\s()]+\)", r"(select \1)", " ".join(condition.split()))
    return text[1:-1] if encloses(text) else text


def encloses(text: str) -> bool:
    """Whether the text begins with a parenthesis that its last character closes."""
    depth = 0
    for position, character in enumerate(_QUOTED.sub(lambda found: "x" * len(found[0]), text)):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text.startswith("(") and position == len(text) - 1
    return False
