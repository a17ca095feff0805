"""What could be wrong with what is granted: one privilege less, one more."""

from collections.abc import Iterator

from userscope.mutation.catalog import Catalog, Json
from userscope.mutation.mutant import Mutant

_MORE = "a role can do no more than it was granted on purpose"
_LESS = "a role can do what it was granted"
_WHOLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
_COLUMN = ("SELECT", "INSERT", "UPDATE")


def mutants(catalog: Catalog) -> Iterator[Mutant]:
    """Yield one mutant for each privilege that a service's role has, and for each that it has not."""
    for table in catalog.protected:
        for role in catalog.roles:
            yield from _on_table(table, role)
            yield from _on_columns(table, role)
        yield _more("granted to public", f"select on {table['name']}", f"grant select on {table['name']} to public")
    for function in catalog.functions:
        yield from _on_function(function, catalog.roles)
    for schema in catalog.content["schemas"]:
        yield from _on_schema(schema, catalog)
    for role in catalog.roles:
        if role not in catalog.content["temporary"]:
            target = f"temporary on the database to {role}"
            grant = f"grant temporary on database %I to {role}".replace("'", "''")
            # In whichever database it is planted.
            ddl = f"do $$ begin execute format('{grant}', current_database()); end $$"
            yield _more("granted", target, ddl)


def _more(operator: str, target: str, ddl: str) -> Mutant:
    idea = "compare the whole set of privileges, by has_…_privilege, with the one that is meant"
    return Mutant(operator, target, (ddl,), _MORE, idea)


def _less(target: str, ddl: str) -> Mutant:
    return Mutant("revoked", target, (ddl,), _LESS, "use the privilege as the role that has it")


def _on_table(table: Json, role: str) -> Iterator[Mutant]:
    held = table["granted"].get(role) or []
    for privilege in _WHOLE:
        words = f"{privilege.lower()} on {table['name']}"
        if privilege in held:
            yield _less(f"{words} from {role}", f"revoke {words} from {role}")
        else:
            yield _more("granted", f"{words} to {role}", f"grant {words} to {role}")


def _on_columns(table: Json, role: str) -> Iterator[Mutant]:
    whole = table["granted"].get(role) or []
    for privilege in _COLUMN:
        if privilege in whole:
            continue
        for column in table["columns"]:
            words = f"{privilege.lower()} ({column['name']}) on {table['name']}"
            if privilege in (column["granted"].get(role) or []):
                yield _less(f"{words} from {role}", f"revoke {words} from {role}")
            else:
                yield _more("granted", f"{words} to {role}", f"grant {words} to {role}")


def _on_function(function: Json, roles: list[str]) -> Iterator[Mutant]:
    words = f"execute on function {function['name']}"
    for role in roles:
        if role in function["execute"]:
            yield _less(f"{words} from {role}", f"revoke {words} from {role}, public")
        else:
            yield _more("granted", f"{words} to {role}", f"grant {words} to {role}")


def _on_schema(schema: Json, catalog: Catalog) -> Iterator[Mutant]:
    if not any(table["schema"] == schema["name"] for table in catalog.tables):
        return
    for role in catalog.roles:
        for privilege in ("usage", "create"):
            words = f"{privilege} on schema {schema['name']}"
            if role in schema[privilege]:
                yield _less(f"{words} from {role}", f"revoke {words} from {role}")
            else:
                yield _more("granted", f"{words} to {role}", f"grant {words} to {role}")
