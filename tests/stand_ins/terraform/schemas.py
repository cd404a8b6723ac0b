"""The providers' schemas as files, and as what Terraform's plugin protocol calls a schema."""

import json
from pathlib import Path
from typing import Any

from tf.gen import tfplugin_pb2 as pb

FOLDER = Path(__file__).with_name("schemas")
NESTED_BLOCKS = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
NESTED_ATTRIBUTES = {"single": 1, "list": 2, "set": 3, "map": 4}
# Field 11, true: the stubs are older than write-only attributes, and pass on what they do not know
WRITE_ONLY = b"\x58\x01"


def read_schema(name: str) -> dict[str, Any]:
    """What `terraform providers schema -json` says of one provider, as far as our HCL uses it."""
    (found,) = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["provider_schemas"].values()
    return found


def as_message(schema: dict[str, Any]) -> pb.Schema:
    """The schema of a provider, a resource or a data source, for Terraform."""
    return pb.Schema(version=schema.get("version", 0), block=_block(schema["block"]))


def _block(block: dict[str, Any]) -> pb.Schema.Block:
    return pb.Schema.Block(
        attributes=[_attribute(name, attribute) for name, attribute in block.get("attributes", {}).items()],
        block_types=[
            pb.Schema.NestedBlock(
                type_name=name,
                nesting=NESTED_BLOCKS[nested["nesting_mode"]],
                min_items=nested.get("min_items", 0),
                max_items=nested.get("max_items", 0),
                block=_block(nested["block"]),
            )
            for name, nested in block.get("block_types", {}).items()
        ],
    )


def _attribute(name: str, attribute: dict[str, Any]) -> pb.Schema.Attribute:
    flags = {flag: bool(attribute.get(flag)) for flag in ("required", "optional", "computed", "sensitive")}
    if nested := attribute.get("nested_type"):
        attributes = [_attribute(inner, described) for inner, described in nested["attributes"].items()]
        kind = pb.Schema.Object(nesting=NESTED_ATTRIBUTES[nested["nesting_mode"]], attributes=attributes)
        message = pb.Schema.Attribute(name=name, nested_type=kind, **flags)
    else:
        message = pb.Schema.Attribute(name=name, type=json.dumps(attribute["type"]).encode(), **flags)
    if attribute.get("write_only"):
        message.MergeFromString(WRITE_ONLY)
    return message
