"""Answers: what somebody looked at and meant so, in the file that the audit's baseline has as well."""

import re
from hashlib import sha256
from pathlib import Path

from userscope.audit import baseline
from userscope.audit.baseline import Baseline, Sorted
from userscope.probe import words
from userscope.probe.findings import Finding
from userscope.probe.scene import Scene

RULES = (
    *("adds_to_a_shown_parent", "becomes", "born_open", "broken", "built_in_identity", "deletes", "forges", "function"),
    *("global_role", "inserts", "leakproof", "links", "mutable_claim", "oracle", "overrules", "own_privilege"),
    *("ownerless", "plants", "promotion", "read_by_all", "read_fails", "reads", "shown_by_default", "shown_to_all"),
    *("shown_when", "sign_up", "sign_up_fails", "stale_identity", "tenant_role_opens_all", "truncates", "updates"),
    *("uploads", "view"),
)
"""All kinds of findings."""


def answered(found: list[Finding], path: Path | None) -> Sorted[Finding]:
    """Part what was answered from what was not. An entry's ``finding`` is the basis that the question was told with:
    where policies have changed since, it is asked anew.

    Raises ConfigurationError for a file that is none.
    """
    accepted = Baseline.read(path) if path else Baseline()
    return accepted.sort(found, lambda each: (each.rule, each.object, each.basis), known=(*RULES, baseline.RULE))


def basis(scene: Scene, object_: str) -> str:
    """Return a fingerprint of the policies, the view or the function that an object's findings come from.

    It is the same in every version of PostgreSQL, though they write conditions down in different ways.
    """
    functions = {function.name: function.source for function in scene.catalog.functions}
    texts = [function.source for function in scene.catalog.functions if function.label == object_]
    for relation in scene.relations:
        if relation.label == object_:
            texts += [relation.definition, str(relation.secured)]
            texts += [
                f"{policy.name} {policy.command} {policy.permissive} {sorted(policy.roles)} {policy.text}"
                for policy in relation.policies
            ]
    called = sorted(words.words(" ".join(texts)) & functions.keys())
    plain = re.sub(r"\b\w+\.|::[\w ]+|[\s()\"]", "", " ".join([*texts, *(functions[name] for name in called)]))
    return f"as of {sha256(plain.encode()).hexdigest()[:8]}"
