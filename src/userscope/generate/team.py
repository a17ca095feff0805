"""A table whose rows each belong to one organization: as ``table``, with other policies."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import override

from userscope.errors import ConfigurationError
from userscope.generate.columns import ORGANIZATION
from userscope.generate.table import Table

_ROLE = re.compile(r"[A-Za-z0-9_-]{1,40}")
# What is said of a user's rows in the mapping, and of an organization's.
_MEMBERS = {
    "Its owner is the user of the session that adds it.": "It belongs to the organization that the session acts in.",
    "as its owner sees it": "as members see it",
    "Select one's own ": "Select the organization's ",
}


@dataclass(frozen=True)
class TeamTable(Table):
    """A table to be. ``delete_by``: the roles whose members alone delete, of their own or ``owner``, ``admin``."""

    delete_by: Sequence[str] = ()
    _tests = "organization."
    _key = "organization_id"
    _made_by = (("created_by", "uuid", "not null default app.current_user_id()"),)

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
        roles = [role.strip() for role in delete_by.split(",")] if delete_by is not None else []
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
    def mapping(self) -> str:
        written = super().mapping()
        for owners, members in _MEMBERS.items():
            written = written.replace(owners, members)
        return written

    @property
    @override
    def _acting(self) -> tuple[str, str]:
        return ORGANIZATION

    @override
    def _belongs(self) -> dict[str, str]:
        roles, whoever = [f"'{role}'" for role in self.delete_by], "A member"
        deletes, deletes_seen = self._acting
        if roles:
            deletes = f"app.current_organization_id({', '.join(roles)})"
            listed = ", ".join(f"{role}::text" for role in roles)
            deletes_seen = f"app.current_organization_id(VARIADIC ARRAY[{listed}]) AS current_organization_id"
            whoever = f"A member who is {' or '.join(self.delete_by)}"
        alone = bool(roles) and "member" not in self.delete_by
        return {
            **self._references("organizations", "The organization does not exist."),
            "whose": "organization",
            "Own": "The organization''s",
            "writers": "members",
            # What a role keeps a member from deleting was not changed meanwhile.
            "still": "yes" if roles else "",
            "Owned": "OrganizationOwned",
            "You_have": "The organization already has",
            "made_by": f"comment on column {self._home}.{self.name}.created_by is 'Who made it: a bare id, which "
            "outlives the account. No index of it could be led by the organization.';\n",
            "kept": "organization_id and created_by are the database's",
            "me_deletes": deletes,
            "me_deletes_seen": deletes_seen,
            "selects": f"A member sees the {self.many} of the organization that they act in",
            "inserts": f"A member adds {self.many} to the organization that they act in",
            "updates": f"A member edits the organization''s {self.many}, and cannot move one to another",
            "deletes": f"{whoever} deletes the organization''s {self.many}",
            "goes": ", and goes when that goes",
            "Whoever": whoever,
            "member_deletes": "0" if alone else "1",
            "owner_deletes": "1" if alone and "owner" in self.delete_by else "0",
        }
