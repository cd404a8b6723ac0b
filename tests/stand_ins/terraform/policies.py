"""IAM's policy documents: rendered as aws_iam_policy_document renders them, and read as IAM reads them."""

import json
import re
from collections.abc import Iterator
from typing import Any

PRINCIPAL_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}
_PRINCIPALS = {
    "AWS": r"\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:.+",
    "Service": r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com",
    "Federated": r".+",
    "CanonicalUser": r"[0-9a-f]{64}",
}
_ACTION = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+")
_STATEMENT = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
}  # fmt: skip


def render(config: dict[str, Any]) -> str:
    """The document of a data source aws_iam_policy_document."""
    document: dict[str, Any] = {"Version": config.get("version") or "2012-10-17"}
    if config.get("policy_id"):
        document["Id"] = config["policy_id"]
    statements = []
    for source in config.get("source_policy_documents") or []:
        statements += _statements(json.loads(source))
    statements += [_statement(block) for block in config.get("statement") or []]
    for override in config.get("override_policy_documents") or []:
        for statement in _statements(json.loads(override)):
            same = [one for one in statements if one.get("Sid") and one.get("Sid") == statement.get("Sid")]
            statements = [one for one in statements if one not in same] + [statement]
    return json.dumps(document | {"Statement": statements}, indent=2)


def _statement(block: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {}
    if block.get("sid"):
        statement["Sid"] = block["sid"]
    statement["Effect"] = block.get("effect") or "Allow"
    for key, name in {
        "actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource",
    }.items():  # fmt: skip
        if block.get(key):
            statement[name] = _one_or_more(block[key])
    for key, name in {"principals": "Principal", "not_principals": "NotPrincipal"}.items():
        if block.get(key):
            statement[name] = _principals(block[key])
    for condition in block.get("condition") or []:
        tests = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        tests[condition["variable"]] = _one_or_more(condition["values"])
    return statement


def _principals(blocks: list[dict[str, Any]]) -> Any:
    if any(block["type"] == "*" for block in blocks):
        return "*"
    found: dict[str, list[str]] = {}
    for block in blocks:
        found.setdefault(block["type"], []).extend(block["identifiers"])
    return {kind: _one_or_more(identifiers) for kind, identifiers in found.items()}


def _one_or_more(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else sorted(values)


def problems_of_policy(document: str, what_for: str) -> Iterator[str]:
    """What IAM would refuse. `what_for`: of an identity, of a role's trust, or of a resource."""
    try:
        policy = json.loads(document)
    except ValueError as error:
        yield f"is not JSON: {error}"
        return
    if policy.get("Version") != "2012-10-17":
        yield 'needs "Version": "2012-10-17"'
    if not (statements := _statements(policy)):
        yield "has no statement"
    for statement in statements:
        yield from _problems_of_statement(statement, what_for)


def _problems_of_statement(statement: dict[str, Any], what_for: str) -> Iterator[str]:
    if unknown := set(statement) - _STATEMENT:
        yield f"has a statement with {', '.join(sorted(unknown))}, which IAM does not know"
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"has the effect {statement.get('Effect')}: write Allow or Deny"
    if not ("Action" in statement) ^ ("NotAction" in statement):
        yield "has a statement without one of Action and NotAction"
    for action in _listed(statement.get("Action")):
        if not _ACTION.fullmatch(action):
            yield f"names the action {action}: write service:Action"
    has_principal = "Principal" in statement or "NotPrincipal" in statement
    if what_for == "identity" and has_principal:
        yield "names a principal, which a policy of an identity must not"
    if what_for != "identity" and not has_principal:
        yield "has a statement without a principal"
    has_resource = "Resource" in statement or "NotResource" in statement
    if what_for == "trust" and has_resource:
        yield "names a resource, which a role's trust must not"
    if what_for != "trust" and not has_resource:
        yield "has a statement without a resource"
    yield from _problems_of_principals(statement.get("Principal", {}))


def _problems_of_principals(principals: Any) -> Iterator[str]:
    if principals == "*":
        return
    for kind, identifiers in principals.items():
        if kind not in PRINCIPAL_KINDS:
            yield f"has a principal of the kind {kind}: there are {', '.join(sorted(PRINCIPAL_KINDS))}"
            continue
        for identifier in _listed(identifiers):
            if not re.fullmatch(_PRINCIPALS[kind], identifier):
                yield f"has the principal {identifier}, which is no {kind}"


def _statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    found = policy.get("Statement", [])
    return found if isinstance(found, list) else [found]


def _listed(value: Any) -> list[str]:
    return [] if value is None else (value if isinstance(value, list) else [value])
