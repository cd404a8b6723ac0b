"""`python -m tests.stand_ins.terraform.pruned FOLDER`: schemas/ from whole schemas, with the types that our HCL uses.

FOLDER holds one JSON file a provider, as `terraform providers schema -json` prints it: aws.json and its like.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).with_name("schemas")
PROVIDERS = ("airbyte", "aws", "prefect", "snowflake")
# What the schemas were made from; they do not say it themselves. terraform/versions.tf pins the same.
VERSIONS = {
    "snowflakedb/snowflake": "2.22.0",
    "hashicorp/aws": "6.69.1",
    "PrefectHQ/prefect": "3.4.1",
    "airbytehq/airbyte": "1.2.0",
}
# From the providers' documents, where the files do not say it: values that no plan may show
SENSITIVE = {"snowflake": {"private_key", "private_key_passphrase", "password", "token"}}
UNREAD = ("parameters",)  # thousands of lines about what nobody refers to
_DECLARED = re.compile(r'^\s*(resource|data)\s+"([a-z0-9]+)_([a-z0-9_]+)"', re.MULTILINE)


def used_types(hcl: Path = REPOSITORY / "terraform") -> dict[str, dict[str, set[str]]]:
    """By provider: the names of the resources and data sources that the HCL declares."""
    found: dict[str, dict[str, set[str]]] = {name: {"resource": set(), "data": set()} for name in PROVIDERS}
    for file in sorted(hcl.rglob("*.tf")):
        for kind, provider, rest in _DECLARED.findall(file.read_text(encoding="utf-8")):
            if provider in found:  # terraform_data is Terraform's own
                found[provider][kind].add(f"{provider}_{rest}")
    return found


def missing_types() -> list[str]:
    """What the HCL declares and schemas/ does not know."""
    return [
        f"{kind} {name}"
        for provider, kinds in used_types().items()
        for kind, names in kinds.items()
        for name in sorted(names - set(_schemas(json.loads(_file(provider).read_text(encoding="utf-8")), kind)))
    ]


def write(source: Path) -> Iterator[str]:
    """Writes every provider's file; says of each how many types it has."""
    for provider, kinds in used_types().items():
        whole = json.loads((source / f"{provider}.json").read_text(encoding="utf-8"))
        ((address, schemas),) = whole["provider_schemas"].items()
        if absent := [name for kind, names in kinds.items() for name in names if name not in _schemas(whole, kind)]:
            raise SystemExit(f"{provider} has no {', '.join(absent)}: see terraform/ and the provider's documents.")
        for name, attribute in schemas["provider"]["block"]["attributes"].items():
            if name in SENSITIVE.get(provider, ()):
                attribute["sensitive"] = True
        for resource in schemas["resource_schemas"].values():
            for name in UNREAD:
                if not resource["block"]["attributes"].get(name, {}).get("optional", True):
                    del resource["block"]["attributes"][name]
        kept = {
            "provider": schemas["provider"],
            "resource_schemas": {name: schemas["resource_schemas"][name] for name in sorted(kinds["resource"])},
            "data_source_schemas": {name: schemas["data_source_schemas"][name] for name in sorted(kinds["data"])},
        }
        document = {"format_version": whole["format_version"], "provider_schemas": {address: kept}}
        _file(provider).write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        yield f"{provider}: {len(kinds['resource'])} resources, {len(kinds['data'])} data sources"


def _file(provider: str) -> Path:
    return FOLDER / f"{provider}.json"


def _schemas(document: dict[str, Any], kind: str) -> dict[str, Any]:
    (schemas,) = document["provider_schemas"].values()
    return schemas["resource_schemas" if kind == "resource" else "data_source_schemas"]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    for line in write(Path(sys.argv[1])):
        print(line)
