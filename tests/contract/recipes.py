"""The recipes of CONTRIBUTING.md as changes to a copy of the project: what is added, and what has to know of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """Text written into a file behind an anchor; without one, at the end, or into a new file."""

    file: str
    text: str
    after: str = ""


@dataclass(frozen=True)
class Recipe:
    """`adds`: the thing itself. `places`: what has to know of it; each is forgotten once, and named by the error.
    `holds`: tests that pass when all is done. `uses`: a program that uses what was added."""

    row: str
    places: tuple[Change, ...]
    adds: tuple[Change, ...] = ()
    holds: tuple[str, ...] = ()
    uses: str = ""


_SEND = """
import tempfile
from pathlib import Path
from flows.ports.destination import SendRequest
from flows.settings import Settings
from flows.wiring import destination
from tests.examples.people import people
acme = destination(Settings(data_dir=Path(tempfile.mkdtemp()), destination="acme"), "acme")
(answers,) = acme.send(SendRequest("spring", people({"customer_id": "c1"})))
assert answers.column("result").to_pylist() == ["sent"]
"""
_ACME = """
from collections.abc import Iterator

import pyarrow as pa

from flows.ports.destination import SendRequest, results


class AcmeContacts:
    name = "acme"
    is_full_refresh = False

    def check(self, request: SendRequest) -> None: ...

    def send(self, request: SendRequest) -> Iterator[pa.Table]:
        yield results(request.people.column("customer_id"), "sent")
"""
_NAMED = Change("flows/settings/destinations.py", '"acme", ', after="Literal[")
_DESTINATION_DOCUMENTED = Change(
    "docs/campaigns.md", "| `acme` | their figures |\n", after="what is written |\n|---|---|\n"
)

A_DESTINATION_THAT_TAKES_A_FILE = Recipe(
    "a destination that takes a file (an importer)",
    places=(
        Change(
            "flows/adapters/files/importer_files.py",
            '    "acme": Layout({"email": "Mail", "segment": "Group"}, of_campaign="Campaign"),\n',
            after="LAYOUTS = {\n",
        ),
        _NAMED,
        _DESTINATION_DOCUMENTED,
    ),
    holds=("contract.test_places.test_a_destination_is_known_wherever_it_is_named",),
    uses=_SEND + 'header, _ = acme.file("spring").read_text().splitlines()\nassert "Mail" in header, header',
)
A_DESTINATION_WITH_AN_API = Recipe(
    "a destination with an API",
    adds=(
        Change("flows/adapters/acme/__init__.py", '"""Acme."""\n'),
        Change("flows/adapters/acme/destination.py", _ACME),
        Change(
            "flows/wiring.py",
            "def _acme() -> Destination:\n    from flows.adapters.acme.destination import AcmeContacts\n\n"
            "    return AcmeContacts()\n\n\n",
            after="return BY_API[name]()\n\n\n",
        ),
    ),
    places=(
        Change("flows/wiring.py", '"acme": _acme, ', after="BY_API: Mapping[str, Callable[[], Destination]] = {"),
        _NAMED,
        _DESTINATION_DOCUMENTED,
        Change("README.md", " acme", after="   adapters/       duckdb"),
    ),
    holds=(
        "contract.test_places.test_a_destination_is_known_wherever_it_is_named",
        "contract.test_repository.test_the_readme_is_a_front_page_that_draws_every_folder",
    ),
    uses=_SEND,
)
A_HEADER = Recipe(
    "a header that files use for one of our columns",
    places=(Change("airbyte/connections.yml", "shopper_code, ", after="\n    customer_id: ["),),
    uses="""
import duckdb, tempfile
from datetime import UTC, datetime
from pathlib import Path
from flows.adapters.files.reading.landing import CsvLanding
from flows.settings import CONNECTIONS
from flows.sources.connections import OrderLines, read_connections
folder = Path(tempfile.mkdtemp())
(folder / "orders.csv").write_text("order_id,Shopper Code,ordered_at,amount\\n1,A,2024-01-31,10.50\\n")
landing = CsvLanding(duckdb.connect(), read_connections(CONNECTIONS), datetime(2026, 1, 1, tzinfo=UTC), folder)
(mapping,) = landing.order_lines(str(folder / "orders.csv"), "shop", OrderLines()).mappings
assert mapping.columns["customer_id"] == "Shopper Code"
""",
)
AN_EXCHANGE_RATE = Recipe(
    "an exchange rate",
    places=(Change("dbt_project/seeds/currency_rates.csv", "EUR,SEK,2024-01-01,0.09\n"),),
    uses="""
import duckdb, tempfile
from pathlib import Path
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.staged_orders import decide_as_of
folder = Path(tempfile.mkdtemp())
with duckdb.connect(folder / "warehouse.duckdb") as con:
    con.execute(
        "create schema staging; create table staging.currency_rates as from read_csv("
        "'dbt_project/seeds/currency_rates.csv',"
        " types={'reporting_currency': 'varchar', 'currency': 'varchar', 'valid_from': 'date', 'rate': 'double'})"
    )
    con.execute(
        "create table staging.stg_shop__order_lines as select order_id, 'C' as customer_id, currency, 1.0 as amount,"
        " timestamp '2024-02-01' as ordered_at, date '2024-02-01' as ordered_on, false as is_return"
        " from (values ('1', 'EUR'), ('2', 'SEK')) as lines (order_id, currency)"
    )
warehouse = DuckDBWarehouse(folder / "warehouse.duckdb", folder / "tmp")
assert decide_as_of(warehouse, None, "EUR", 90).convert_to == "EUR"
""",
)
A_SEGMENT = Recipe(
    "a segment, its thresholds or its action",
    adds=(Change("dbt_project/seeds/rfm_segment_rules.csv", "Whales,6,6,6,6,6,6\n"),),
    places=(
        Change("dbt_project/seeds/rfm_segments.csv", "Whales,13,stays,Buy most\n"),
        Change("dbt_project/seeds/recommended_actions.csv", "any,any,Whales,thank,Call them\n"),
        *(
            Change("flows/adapters/dashboard/texts.yml", f"  - {phrase}\n", after=f"\n  {group}\n")
            for group, phrase in (
                ("segments:", '["Whales", "Baleines"]'),
                ("actions: # what to do with them", '["Call them", "Les appeler"]'),
                ("meanings: # what segments are in every shop", '["Buy most", "Achètent le plus"]'),
            )
        ),
    ),
    holds=("contract.test_places.test_every_segment_has_an_action_and_its_words_in_french",),
)
A_MART = Recipe(
    "a mart",
    adds=(
        Change("dbt_project/models/marts/features/loyal.sql", "select customer_id from {{ ref('customer_rfm') }}\n"),
        Change(
            "dbt_project/models/marts/scores/risky.sql", "select customer_id from {{ ref('marketing_customers') }}\n"
        ),
    ),
    places=(
        Change(
            "dbt_project/models/marts/_marts__models.yml",
            "".join(
                f"  - name: {name}\n    description: Customers.\n    columns:\n"
                "      - {name: customer_id, data_type: varchar, description: The shop's own customer id.}\n\n"
                for name in ("loyal", "risky")
            ),
            after="models:\n",
        ),
        Change(
            "docs/marts.md", "| `marts.loyal` | customer | |\n| `marts.risky` | customer | |\n", after="|---|---|---|\n"
        ),
    ),
    holds=(
        "contract.test_places.test_every_mart_has_its_columns_and_is_documented",
        "contract.test_dbt_selections.test_every_model_and_seed_is_built_by_exactly_one_of_the_builds",
    ),
)
A_KEY_OF_A_CAMPAIGN = Recipe(
    "a key of a campaign's file",
    adds=(
        Change(
            "flows/campaigns/definition.py",
            "    subject: str | None = None\n",
            after='    destination: DestinationName = "csv"\n',
        ),
    ),
    places=(Change("docs/campaigns.md", "| `subject` | of the e-mail | none |\n", after="| required |\n"),),
    holds=("contract.test_places.test_every_key_of_a_campaign_is_documented",),
    uses="""
from flows.campaigns.definition import read_campaign
text = "name: abc\\noffer: {text: hello}\\nmargin: 0.4\\nbudget: 10\\nsubject: Come back\\n"
assert read_campaign(text, "c.yml", ()).subject == "Come back"
""",
)
A_COMMAND = Recipe(
    "a command",
    adds=(Change("flows/commands/greet.py", 'def greet() -> None:\n    print("Good morning")\n'),),
    places=(
        Change(
            "flows/__main__.py",
            '@app.command()\ndef greet() -> None:\n    """Say good morning."""\n'
            "    from flows.commands.greet import greet\n\n    greet()\n\n\n",
            after='app.add_typer(models, name="models")\n\n\n',
        ),
        Change(
            "Makefile",
            "greet: $(BIN)/churn ## say good morning\n\t@$(CHURN) greet\n\n",
            after="\n\n",
        ),
        Change("Makefile", "greet ", after=".PHONY: "),
    ),
    holds=("contract.test_makefile.test_every_command_has_a_target_that_make_help_lists",),
    uses="from flows.__main__ import main\nassert main(['greet']) == 0",
)
A_SCHEDULED_RUN = Recipe(
    "a scheduled run",
    adds=(
        Change(
            "flows/production.py",
            '@flow(name="hourly-greeting")\ndef hourly_greeting() -> None:\n    log.info("hello")\n\n\n',
            after="PAUSES_SECONDS = (1_800.0, 1_800.0)\n\n\n",
        ),
    ),
    places=(
        Change(
            "prefect.yaml",
            "  - {<<: *deployment, entrypoint: flows/production.py:hourly_greeting, name: production}\n"
            "  - {<<: *local, entrypoint: flows/production.py:hourly_greeting, name: local}\n",
            after="deployments:\n",
        ),
        Change(
            "docs/production.md",
            "| `hourly-greeting` | every hour | says hello |\n",
            after="| deployment | when (Europe/Berlin) | what it does |\n|---|---|---|\n",
        ),
    ),
    holds=("contract.test_places.test_every_flow_of_production_is_deployed_and_documented",),
)
AN_OPTION = Recipe(
    "an option",
    adds=(
        Change(
            "flows/settings/run.py",
            '    greeting: str | None = Field(None, description="printed first")\n',
            after='size of the simulated shop")\n',
        ),
    ),
    places=(
        Change("flows/__main__.py", '"greeting", ', after="SHOP = ("),
        Change("Makefile", "GREETING ", after="OPTIONS := "),
        Change(
            "docs/configuration.md",
            "| `GREETING=` | printed first | none |\n",
            after="| option | what it does | default |\n|---|---|---|\n",
        ),
    ),
    holds=(
        "unit.commands.test_command_line.test_every_setting_is_an_option_of_a_command",
        "contract.test_makefile.test_make_takes_what_settings_and_commands_read_and_nothing_else",
        "contract.test_makefile.test_every_option_is_in_a_document",
    ),
    uses="from flows.settings import Settings\nassert Settings(greeting='hi').greeting == 'hi'",
)
# Its places are in the API, and tests/contract/test_prediction_contract.py names all that lack it at once.
A_FIELD_OF_A_PREDICTION = Recipe(
    "a column of `marts.churn_predictions`, a field that the model predicts",
    adds=(
        Change("functions/predicted.py", '    "orders": "double",\n', after="PREDICTED: dict[str, str] = {\n"),
        Change(
            "functions/prediction_record.py",
            '    orders: Annotated[Amount, Field(description="Expected orders within the horizon.")]\n',
            after='description="P(no purchase within the horizon).")]\n',
        ),
    ),
    places=(),
)
EXECUTED = (
    A_HEADER,
    AN_EXCHANGE_RATE,
    A_SEGMENT,
    A_MART,
    A_FIELD_OF_A_PREDICTION,
    A_DESTINATION_THAT_TAKES_A_FILE,
    A_DESTINATION_WITH_AN_API,
    A_KEY_OF_A_CAMPAIGN,
    A_COMMAND,
    A_SCHEDULED_RUN,
    AN_OPTION,
)
