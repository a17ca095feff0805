"""A table whose rows each belong to one organization: as ``table``, with other policies."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import override

from userscope.errors import ConfigurationError
from userscope.generate import mapping
from userscope.generate.columns import Column
from userscope.generate.table import Table, line
from userscope.generate.text import Text
from userscope.migrations.projects import KINDS

_ROLE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_CLAIMED = "app.current_organization_id()"


@dataclass(frozen=True)
class TeamTable(Table):
    """A table to be. ``delete_by``: the roles whose members alone delete, of their own or ``owner``, ``admin``."""

    delete_by: Sequence[str] = ()
    _tests = "organization."

    @classmethod
    def of_organization(
        cls,
        name: str,
        columns: Sequence[str],
        one: str | None = None,
        *,
        delete_by: str | None = None,
        fenced: bool = False,
    ) -> "TeamTable":
        """Check what is asked for; ``delete_by`` has commas between roles. Raises ConfigurationError."""
        plain = Table.of(name, columns, one, fenced=fenced)
        roles = [role.strip() for role in (delete_by or "").split(",")] if delete_by is not None else []
        for role in roles:
            if not _ROLE.fullmatch(role):
                raise ConfigurationError(
                    "--delete-by names no role", hint='Write roles with commas between them: "owner,admin".'
                )
        for column in plain.columns:
            if column.name in ("organization_id", "created_by"):
                raise ConfigurationError(
                    f'every table of an organization has a column "{column.name}"', hint="Leave it out."
                )
        return cls(plain.name, plain.columns, plain.one, fenced, delete_by=roles)

    @property
    @override
    def whose(self) -> str:
        return f"each owned by one organization{', behind a fence' if self.fenced else ''}"

    @property
    @override
    def who(self) -> str:
        return f"A member reaches their organization's {self.many}"

    @property
    @override
    def needed(self) -> tuple[str, ...]:
        return ("identity", "organizations")

    @property
    @override
    def needed_policies(self) -> tuple[str, ...]:
        return ("access", "organizations")

    @override
    def scripts(self, schema: str, policies: str) -> dict[tuple[str, str], str]:
        words = self._words(schema, policies)
        return {
            (project, kind): Text.read(f"organization.{part}.{kind}.sql").substitute(words)
            for part, project in (("schema", schema), ("policies", policies))
            for kind in KINDS
        }

    @override
    def mapping(self) -> str:
        written = mapping.text(self.columns, self._words("schema", "policies"), fenced=self.fenced)
        for owners, members in (
            (
                "Its owner is the user of the session that adds it.",
                "It belongs to the organization that the session acts in.",
            ),
            ("as its owner sees it", "as members see it"),
            ("Select one's own ", "Select the organization's "),
        ):
            written = written.replace(owners, members)
        return written

    @override
    def test(self) -> str:
        return Text.read("organization.test.py.txt").substitute(self._words("schema", "policies"))

    @override
    def _plain_words(self, schema: str, policies: str) -> dict[str, str]:
        plain = super()._plain_words(schema, policies)
        written = [column.name for column in self.columns]
        every = ["organization_id", "id", *written, "created_by", "created_at", "updated_at"]
        width = max(map(len, every))
        kinds = max(len(column.type) for column in (*self.columns, Column("", "timestamptz")))
        ours, helpers = ("", "") if schema == "schema" else ("schema:", "policies:")
        key = f"constraint {self.name}_organization_id_fkey references app.organizations on delete cascade,"
        by = ", ".join(f"'{role}'" for role in self.delete_by)
        seen = f"app.current_organization_id(VARIADIC ARRAY[{', '.join(f"'{role}'::text" for role in self.delete_by)}])"
        whoever = f"A member who is {' or '.join(self.delete_by)}" if self.delete_by else "A member"
        return plain | {
            "key": "organization_id",
            "whose": "organization",
            "Own": "The organization''s",
            "writers": "members",
            # What a role keeps a member from deleting was not changed meanwhile.
            "still": "yes" if by else "",
            "Owned": "OrganizationOwned",
            "organizations": f"{ours}organizations",
            "may_claim": f"{helpers}organizations",
            "organization": line("organization_id", "uuid", f"not null default {_CLAIMED}", width, kinds)
            + f"\n{' ' * (width + kinds + 6)}{key}",
            "id": line("id", "uuid", "not null default gen_random_uuid(),", width, kinds),
            "columns": "\n".join(line(c.name, c.type, c.rules(self.name), width, kinds) + "," for c in self.columns),
            "created_by": line("created_by", "uuid", "not null default app.current_user_id(),", width, kinds),
            "created_at": line("created_at", "timestamptz", "not null default now(),", width, kinds),
            "updated_at": line("updated_at", "timestamptz", "not null default now(),", width, kinds),
            "statistics": ",\n".join(f"    alter {name:<{width}} set statistics 0" for name in every),
            "facts": "\n".join(f"    {fact}" for fact in self._facts()),
            "every": ", ".join(every),
            "by": by,
            "by_seen": f"{seen if by else _CLAIMED} AS current_organization_id",
            "Whoever": whoever,
            "member_deletes": "0" if by and "member" not in self.delete_by else "1",
            "owner_deletes": "1" if by and "member" not in self.delete_by and "owner" in self.delete_by else "0",
        }

    @override
    def _facts(self) -> list[str]:
        time = "timestamp with time zone not null default now() statistics 0"
        return [
            f"column organization_id uuid not null default {_CLAIMED} statistics 0",
            "column id uuid not null default gen_random_uuid() statistics 0",
            *(fact for column in self.columns for fact in column.facts(self.name)),
            "column created_by uuid not null default app.current_user_id() statistics 0",
            f"column created_at {time}",
            f"column updated_at {time}",
        ]
