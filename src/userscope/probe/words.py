"""What names are taken to mean, where a schema says it in no other way: the probe's weakest part, all in one place."""

import re

from userscope.audit.names import NOBODYS_BUSINESS

PRIVILEGED = re.compile(
    r"admin|owner|super|staff|moderat|service|system|root|manager|faculty|verified|vip|pro\b|premium", re.IGNORECASE
)
"""Values and flags that let somebody do more."""
RANKED = re.compile(r"admin|super|staff|moderat|root", re.IGNORECASE)
"""Values and flags of those who run the whole."""
PUBLIC = re.compile(r"publi|approved|open|shared|active|live|visible|listed|accepted|everyone|global", re.IGNORECASE)
"""Values and flags that show a row to more people."""
IDENTIFYING = re.compile(
    r"(^|_)(id|uid|uuid|sub|user|owner|author|creator|tenant|org|account|subject|customer|client|member|patient|employee"
    r"|created_by|updated_by|[a-z]+_by)$|Id$|^owner",
    re.IGNORECASE,
)
"""Columns that say whose a row is, or which row it is."""
PERSONAL = re.compile(
    r"user|owner|author|creator|profile|member|customer|_by$|sender|receiver|account_?id$|uid$|^sub$", re.IGNORECASE
)
"""Columns that name a person."""
TENANT = re.compile("org|tenant|team|account|workspace|group|company|project", re.IGNORECASE)
"""Columns that name whom several persons belong to."""
PATH = re.compile("name|path|key|file|url|slug|title", re.IGNORECASE)
"""Columns that may hold a path, whose first part says whose it is."""
OFFICIAL = re.compile("system|official|feature|verif|templat|global|default|builtin", re.IGNORECASE)
"""Flags that make a row everybody's."""
SECRET = re.compile(rf"{NOBODYS_BUSINESS}|(^|_)address$", re.IGNORECASE)
"""Columns of somebody's rows that are not shown to everybody by intent."""
SENSITIVE = re.compile(
    rf"{NOBODYS_BUSINESS}|_key$|address|(before|after|old|new)_(data|row|value|state)|snapshot|ip$",
    re.IGNORECASE,
)
"""Columns that nobody would show to everybody."""
PEOPLE = re.compile(r"users?|accounts?|profiles?|people|persons?|members?_?users?", re.IGNORECASE)
"""Tables of the people who sign in."""
SOMEBODYS = re.compile(
    r"(app_?)?(users?|members?|memberships?|profiles?|accounts?|organi[sz]ations?|orgs|tenants?|teams?|customers?|people"
    r"|persons?|employees?|patients?|orders?|invoices?|payments?|messages?|documents?)",
    re.IGNORECASE,
)
"""Tables whose rows are somebody's, whatever their columns are."""
EXPIRY = re.compile(r"expir|until|deadline|valid_to|due|ends?_(at|on|date)|_end$", re.IGNORECASE)
"""Times after which a row counts no more."""
UNKNOWN_PERSON = re.compile("anon|visitor|guest|public", re.IGNORECASE)
"""Roles of those who have not signed in."""
METADATA = re.compile("role|admin|org|tenant|plan|tier|permission|verified|type|level", re.IGNORECASE)
"""Keys of what a client sends along at sign-up that should not be the client's to say."""
KEYS = ("uuid", "text", "int4", "int8", "varchar")
"""Types of columns that may identify."""


def identifying(name: str) -> bool:
    """Whether a column of this name says whose a row is."""
    return IDENTIFYING.search(name) is not None


def personal(name: str) -> bool:
    """Whether a column of this name names a person."""
    return PERSONAL.search(name) is not None


def modest(values: list[str]) -> list[str]:
    """Return the values that neither let do more nor show more; all, if there are none."""
    return [value for value in values if not PRIVILEGED.search(value) and not PUBLIC.search(value)] or values


def words(text: str) -> set[str]:
    """Return the words of a text."""
    return set(re.findall(r"\w+", text))
