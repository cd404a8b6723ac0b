"""What stands in several places stands in all of them. A failure names the place that lacks it, because it is read by
someone who has just followed a row of CONTRIBUTING.md and has forgotten one."""

import ast
import csv
import re
from typing import get_args

import yaml

from flows.adapters.files import importer_files
from flows.campaigns.definition import Campaign
from flows.settings import REPOSITORY, DestinationName
from flows.wiring import BY_API
from functions.churn_api.contract import LIFECYCLES

MARTS = REPOSITORY / "dbt_project" / "models" / "marts"
SEEDS = REPOSITORY / "dbt_project" / "seeds"


def text(place):
    return (REPOSITORY / place).read_text(encoding="utf-8")


def require(place, lacks):
    lacks = sorted(lacks)
    assert not lacks, f"{place} lacks {', '.join(lacks)}"


def destinations():
    return set(get_args(DestinationName))


def test_a_destination_is_known_wherever_it_is_named():
    named, known = destinations(), {*importer_files.NAMES, *BY_API}
    require("DestinationName in flows/settings/destinations.py", known - named)
    require("LAYOUTS in flows/adapters/files/importer_files.py, or BY_API in flows/wiring.py,", named - known)
    rows = re.findall(r"^\| (`.*?) \|", text("docs/campaigns.md").split("\n## Where customers go\n")[1], re.M)
    require("the table `Where customers go` of docs/campaigns.md", named - set(re.findall(r"`(\w+)`", " ".join(rows))))


def test_every_key_of_a_campaign_is_documented():
    table = text("docs/campaigns.md").split("\n| key |")[1].split("\n\n")[0]
    require("the table of keys in docs/campaigns.md", campaign_keys(set(re.findall(r"`([\w.]+)", table))))


def campaign_keys(named):
    """The keys of a campaign but for those that are named."""
    keys = {
        name: {f"{name}.{inner}" for inner in getattr(field.annotation, "model_fields", ())}
        for name, field in Campaign.model_fields.items()
    }
    return {key for name, inner in keys.items() if name not in named for key in (inner or {name}) - named}


def test_every_mart_has_its_columns_and_is_documented():
    described = {
        model["name"]
        for file in MARTS.rglob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", ())
        if model["description"] and model["columns"]
    }
    marts = {file.stem for file in MARTS.rglob("*.sql")}
    require("dbt_project/models/marts/_marts__models.yml, with its columns,", marts - described)
    document = text("docs/marts.md")
    require("docs/marts.md", (name for name in marts if f"`marts.{name}`" not in document))


def test_every_segment_has_an_action_and_its_words_in_french():
    rules, segments, actions = (
        list(csv.DictReader((SEEDS / f"{name}.csv").read_text(encoding="utf-8").splitlines()))
        for name in ("rfm_segment_rules", "rfm_segments", "recommended_actions")
    )
    named = {row["segment"] for row in segments}
    require("dbt_project/seeds/rfm_segments.csv", {row["segment"] for row in (*rules, *actions)} - named - {"any"})
    require("dbt_project/seeds/rfm_segment_rules.csv", named - {row["segment"] for row in rules})
    unscored = {row["segment"] for row in actions if row["lifecycle"] == row["risk_band"] == "any"}
    require("dbt_project/seeds/recommended_actions.csv, of any lifecycle and risk,", named - unscored)
    groups = yaml.safe_load(text("flows/adapters/dashboard/texts.yml"))["phrases"].values()
    french = {english for phrases in groups for english, _ in phrases}
    words = named | {row["recommended_action"] for row in actions} | {row["meaning"] for row in segments}
    require("phrases in flows/adapters/dashboard/texts.yml", words - french)


def test_every_stage_of_the_lifecycle_has_an_action_whatever_risk_and_segment():
    rows = csv.DictReader((SEEDS / "recommended_actions.csv").read_text(encoding="utf-8").splitlines())
    general = {row["lifecycle"] for row in rows if row["risk_band"] == row["segment"] == "any"}
    require("dbt_project/seeds/recommended_actions.csv, of any risk and segment,", {*LIFECYCLES} - general)


def test_every_flow_of_production_is_deployed_and_documented():
    flows = {
        node.name: next(word.value.value for word in decorator.keywords if word.arg == "name")
        for node in ast.parse(text("flows/production.py")).body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and decorator.func.id == "flow"
    }
    deployments = yaml.safe_load(text("prefect.yaml"))["deployments"]
    for name in ("production", "local"):
        entries = {entry["entrypoint"].partition(":")[2] for entry in deployments if entry["name"] == name}
        require(f"deployments of prefect.yaml, with `name: {name}`,", flows.keys() - entries)
        require("flows/production.py, as a flow,", entries - flows.keys())
    document = text("docs/production.md")
    require(
        "the table of deployments in docs/production.md", (n for n in flows.values() if f"| `{n}` |" not in document)
    )
