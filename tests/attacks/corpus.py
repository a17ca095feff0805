"""Every attack, by category."""

from types import ModuleType

from tests.attacks import allowed, escalation, failing_open, forging, organizations, probing, tampering
from tests.attacks.attack import Attack

CATEGORIES: dict[str, ModuleType] = {
    "forging": forging,
    "tampering": tampering,
    "escalation": escalation,
    "organizations": organizations,
    "probing": probing,
    "failing open": failing_open,
    "not promised": allowed,
}

CORPUS: dict[str, Attack] = {
    f"{category}: {attack.name}": attack for category, module in CATEGORIES.items() for attack in module.ATTACKS
}
