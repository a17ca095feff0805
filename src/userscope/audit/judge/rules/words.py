"""What columns' names tell, where nothing else does."""

import re

from userscope.audit.names import NOBODYS_BUSINESS

SENSITIVE = re.compile(
    rf"{NOBODYS_BUSINESS}|mobile|address|api_?key|dob$|medical|diagnos|stripe"
    r"|latitude|longitude|ip_addr|otp|recovery|credit|bank|tax_?id|national|whatsapp|amount|balance",
    re.IGNORECASE,
)
PRIVATE = re.compile(
    r"orders?|payments?|invoices?|messages?|transactions?|subscriptions?|medical|patients?|customers?|contacts?|leads?"
    r"|applications?|tickets?|bookings?|reservations?|sessions?|notifications?|credentials?|keys?$"
)
OWNERS = re.compile(
    r"^(user|owner|author|creator|profile|customer|member|buyer|seller|patient|sender|recipient|receiver|account|tenant|org|organi[sz]ation"
    r"|team|workspace|company|client|student|created|uploaded)(_?(id|uuid|by))$|^(owner|user_uuid|created_by|uid)$"
)
PUBLIC_FLAGS = re.compile(
    r"public|publish|shar(e|ed|ing)|visib|featured|is_system|is_global|is_default|is_template|template|official|open$|status|state$|approved|bucket_id|listed|active|enabled|available|verified|sharing|type$|kind$"
)
SOCIAL = re.compile(
    r"profile|user|member|people|post|comment|like|vote|follow|review|rating|article|blog|product|listing|event|categor|tag"
    r"|channel|score|badge|team|group|communit|question|answer|photo|image|video|recipe|template|topic|thread|poll|reaction"
    r"|catalog|course|lesson|place|song|track|game|forum|feed|stor(y|ies)|announcement|setting|public",
    re.IGNORECASE,
)
"""Tables that everybody who is signed in is often meant to read."""
LIVENESS = re.compile(r"delet|archiv|trash|removed|hidden|banned|blocked|expire")
POWERS = re.compile(
    r"^(user_?)?roles?$|^is_?(super_?)?(admin|user|staff|owner|moderator)$|^admin$|^permissions?$|^(tenant|org|organi[sz]ation|company|team|workspace)_?id$"
    r"|^(plan|tier|credits?|subscription\w*|access_level)$",
    re.IGNORECASE,
)
GIVEN = re.compile(r"is_system|system|official|verified|approved|featured|is_global|is_default")
