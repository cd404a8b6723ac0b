"""What a provider makes of a configuration: a plan with what is not known yet, and then a state with everything."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

Block = Mapping[str, Any]
Value = dict[str, Any]


class _Unknown:
    def __repr__(self) -> str:
        return "(known after apply)"


Unknown = _Unknown()
Answer = Callable[[str], Any]  # of a computed attribute's name; Unknown: there is none


def planned(block: Block, proposed: Value, creates: bool) -> Value:
    """What Terraform proposes, with computed attributes left open where something is made."""
    return _walk(block, proposed, lambda attribute, value: _planned(attribute, value, creates))


def _planned(attribute: Block, value: Any, creates: bool) -> Any:
    if attribute.get("write_only"):
        return None
    return Unknown if value is None and attribute.get("computed") and creates else value


def settled(block: Block, planned: Value, answer: Answer, seed: str) -> Value:
    """A plan with everything filled in: by `answer` at the top, by made-up values of the right type elsewhere."""
    found = {name: answer(name) for name, value in planned.items() if value is Unknown}
    known = planned | {name: value for name, value in found.items() if value is not Unknown}
    return _walk(block, known, lambda attribute, value: _made_up(attribute, seed) if value is Unknown else value)


def _walk(block: Block, value: Value, change: Callable[[Block, Any], Any]) -> Value:
    """Every attribute, those of nested blocks too."""
    walked = {}
    for name, attribute in block.get("attributes", {}).items():
        inner = value.get(name)
        if "nested_type" in attribute and inner is not None and inner is not Unknown:
            nested = attribute["nested_type"]
            walked[name] = _each(nested["nesting_mode"], inner, partial(_walk, nested, change=change))
        else:
            walked[name] = change(attribute | {"name": name}, inner)
    for name, described in block.get("block_types", {}).items():
        inner = value.get(name)
        if inner is Unknown:
            walked[name] = change({"name": name, "nested_type": described}, inner)
        elif inner is None:
            walked[name] = inner
        else:
            walked[name] = _each(described["nesting_mode"], inner, partial(_walk, described["block"], change=change))
    return walked


def _each(nesting: str, value: Any, change: Callable[[Value], Value]) -> Any:
    def changed(one: Any) -> Any:
        return one if one is None or one is Unknown else change(one)

    if nesting in ("single", "group"):
        return changed(value)
    if nesting == "map":
        return {key: changed(one) for key, one in value.items()}
    return [changed(one) for one in value]


def _made_up(attribute: Block, seed: str) -> Any:
    """A value that nothing here looks at, the same for the same seed."""
    if "nested_type" in attribute:
        return None if attribute["nested_type"]["nesting_mode"] == "single" else []
    return _of_type(attribute["type"], attribute["name"], seed)


def _of_type(kind: Any, name: str, seed: str) -> Any:
    digest = hashlib.sha256(f"{seed}|{name}".encode()).hexdigest()
    if kind == "string":
        return str(UUID(digest[:32])) if name.endswith("id") else f"stand-in-{name}-{digest[:8]}"
    if kind in ("number", "bool"):
        return {"number": 0, "bool": False}[kind]
    match kind:
        case ["object", fields]:
            return {field: _of_type(inner, field, seed) for field, inner in fields.items()}
        case ["list", ["object", _] as one]:  # what Snowflake's provider has read of the object itself
            return [_of_type(one, name, seed)]
        case ["map", _]:
            return {}
        case ["list" | "set", _]:
            return []
    return None


def known(value: Any) -> Any:
    """Without unknown values: an API is not asked for those."""
    if isinstance(value, dict):
        return {name: known(inner) for name, inner in value.items() if inner is not Unknown}
    return [known(inner) for inner in value if inner is not Unknown] if isinstance(value, list) else value


def paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every known leaf with the names that lead to it, without positions in lists."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, path)
    elif value is not None and value is not Unknown:
        yield path, value
