"""How a refusal of the server is worded: what, where in which script, and the cure."""

from userscope.errors import MigrationError, RegistryError, ScriptError
from userscope.migrations.client import Failed

_HALF_MADE = (
    "Was this database made by other means? Start from an empty one, or record what is there already by --log-only."
)
_SCHEMA = (
    "Where it is a schema of your own, rename it (alter schema … rename to …) or deploy to another database. Only "
    "where these very scripts made it, record that by --log-only."
)
_NO_EXTENSION = (
    "The embedded PostgreSQL has no extension but plpgsql, none of contrib. Let ADMIN_DATABASE_URL name a server "
    "where this one is installed."
)
# By SQLSTATE, or by its class.
_CURES = {
    "22P05": "Deploy to a database of encoding UTF8: create database NAME encoding 'UTF8' template template0.",
    "25006": "Connect to the primary server: this one only reads.",
    "42501": "Migrate as the database's owner, with CREATEROLE where roles are to be made (see ADMIN_DATABASE_URL).",
    "42P06": _SCHEMA,
    "42P07": _HALF_MADE,
    "42710": _HALF_MADE,
    "42723": _HALF_MADE,
    "53": "The server lacks disk space, memory or connections: free some, then run the command again.",
    "55P03": "Another session holds a lock: end it, or allow more time by --lock-timeout.",
    "57014": "A time limit ended it: allow more by --statement-timeout.",
}


def wording(error: Failed, what: str, *, rolled_back: bool = True, otherwise: str | None = None) -> MigrationError:
    """Word what the server refused while it worked on ``what``; ``otherwise`` is the hint where there is no better."""
    path, line, details = error.message.path, error.line, [error.detail]
    if path is not None:
        stays = "The script is no single transaction: what it did before that line stays."
        file = error.message.file or path
        details.insert(0, f"This is {file}" + (f", line {line}." if line else ", where it commits."))
        if error.message.data is not None:
            details.insert(1, f"PostgreSQL counts the lines of its data: {error.context}." if error.context else "")
        details.append("The change was rolled back." if rolled_back else stays)
    kind = RegistryError if path is None else ScriptError
    missing = error.sqlstate == "0A000" and error.primary.startswith("extension ")
    said = _NO_EXTENSION if missing else error.hint
    return kind(
        f"{what} failed: {error.primary.rstrip('.')}",
        detail=" ".join(filter(None, details)) or None,
        hint=said or _CURES.get(error.sqlstate) or _CURES.get(error.sqlstate[:2]) or otherwise,
    )
