"""The command line, `churn` or `python -m flows`: a table of commands. Each imports what it needs when it is called, so
that none waits for the others' libraries."""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from flows.commands.foreground import foreground
from flows.commands.local_tools import leave_without_teardown
from flows.commands.options import takes
from flows.errors import PipelineError
from flows.settings import Settings

STYLE: dict[str, Any] = {
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 112},
    "no_args_is_help": True,
    "add_completion": False,
}
ELSEWHERE = (
    "An environment or make variable of the same name in capitals (HORIZON_DAYS=90) sets an option too. Snowflake,"
    " Airbyte, Tableau and HubSpot are set by variables only: docs/configuration.md."
)
SHOP = ("orders", "source", "contacts", "products", "as_of", "horizon_days", "clv_days", "currency", "accept")
SENDING = ("stop_sending_after_days",)
AGE = ("stale_after_days", "sync_failed", "loss_up_alert", "rejected_alert", "page_link")
SIMULATION = ("customers", "seed")
HERE = ("data_dir", "warehouse")
TRAINING = ("models", "training_customers", "predictions_kept_days", "review_segments")
OUTPUT = ("show_pii", "crm_link", "workbook_language", "outputs")
EFFORT = ("threads", "timings")
PLAN = ("global_holdout", "show_pii", *HERE, "timings")
CampaignFile = Annotated[Path, typer.Argument(metavar="FILE", help="The campaign, in YAML: docs/campaigns.md.")]

app = typer.Typer(help="RFM segments and churn risk of a shop's customers, from its orders.", epilog=ELSEWHERE, **STYLE)
campaign = typer.Typer(help="Plan a campaign, or send it.", **STYLE)
models = typer.Typer(help="Choose which model is the champion.", **STYLE)
app.add_typer(campaign, name="campaign")
app.add_typer(models, name="models")


@app.command(epilog=ELSEWHERE)
@takes(*SHOP, *AGE, *SIMULATION, *HERE, *TRAINING, *OUTPUT, *EFFORT)
def run(settings: Settings) -> None:
    """Read orders, and score every customer.

    Without --orders and --source it simulates a shop. It writes a page, a list and a workbook to --data-dir.
    """
    with foreground(settings) as console:
        from flows.commands.install_cdk import install_cdk
        from flows.console.run_summary import print_summary
        from flows.flow.pipeline import pipeline

        install_cdk(settings)
        print_summary(pipeline(settings), console)


@app.command(epilog=ELSEWHERE)
@takes("source", "contacts", "products", "currency", "accept")
def inspect(
    settings: Settings,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="A file of orders; none: that of ORDERS.")] = None,
) -> None:
    """Show what a run would read from a file.

    That is: what each column is taken for, orders and money by month, and what would stop a run. For a file that is
    not understood it prints the entry to write in airbyte/connections.yml, with the questions.
    """
    from flows.commands.local_tools import keep_tools_local

    with TemporaryDirectory() as folder:
        keep_tools_local(Path(folder))
        from flows.commands.inspect import inspect

        inspect(settings.model_copy(update={"orders": file or settings.orders, "data_dir": Path(folder)}))


@campaign.command(epilog=ELSEWHERE)
@takes(*PLAN)
def plan(file: CampaignFile, settings: Settings) -> None:
    """Show what the next three campaigns could show.

    It says how large their control groups should be, and what past campaigns say together. Nothing is written.
    """
    with foreground(settings) as console:
        from flows.console.campaign_outlook import print_outlook
        from flows.flow.campaign_plan import campaign_plan

        print_outlook(campaign_plan(settings, file.expanduser()), console)


@campaign.command(epilog=ELSEWHERE)
@takes(*PLAN, *SENDING)
def preview(file: CampaignFile, settings: Settings) -> None:
    """Show who a campaign would contact.

    It also shows what the campaign costs, and what effect it could show. Nothing is sent.
    """
    _campaign(settings, file, launches=False)


@campaign.command(epilog=ELSEWHERE)
@takes(*PLAN, *SENDING)
def launch(file: CampaignFile, settings: Settings) -> None:
    """Freeze a campaign, and send its customers.

    The arms do not change any more, and nobody in the control group is sent. A second launch resumes where the first
    was interrupted.
    """
    _campaign(settings, file, launches=True)


def _campaign(settings: Settings, file: Path, *, launches: bool) -> None:
    with foreground(settings) as console:
        from flows.console.campaign_summary import print_campaign
        from flows.flow.campaign import campaign

        print_campaign(campaign(settings, file.expanduser(), launches), console)


@app.command(epilog=ELSEWHERE)
@takes("destination", "global_holdout", *HERE, "timings")
def activate(settings: Settings) -> None:
    """Send every customer's segment to --destination.

    Risk and reason go with it. Later calls send only customers who have changed; a file always has everyone.
    """
    with foreground(settings):
        from flows.flow.activation import activation

        activation(settings)


@app.command(epilog=ELSEWHERE)
@takes(*HERE, "timings")
def publish(settings: Settings) -> None:
    """Publish the last run's workbook on Tableau.

    It goes to the site of TABLEAU_URL, with the customers.
    """
    with foreground(settings):
        from flows.flow.publication import tableau_publication

        tableau_publication(settings)


@app.command(epilog=ELSEWHERE)
@takes(*HERE, "models", "campaign_files", "global_holdout", "show_pii")
def serve(
    settings: Settings,
    host: Annotated[
        str, typer.Option(envvar="HOST", help="address to listen on; open to others only with API_KEYS")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65_535, help="port to listen on")] = 8000,
) -> None:
    """Answer POST /predict with the champion model.

    /campaigns is a page to plan, approve and launch campaigns by hand.
    """
    from flows.commands.serve import serve

    serve(settings, host, port)


@app.command(epilog=ELSEWHERE)
@takes("page_link", *HERE, "timings")
def digest(
    settings: Settings,
    send: Annotated[
        bool, typer.Option("--send", envvar="SEND", help="also send it, to DIGEST_TO and the like, whatever day it is")
    ] = False,
) -> None:
    """Write what changed in a week, as e-mail and messages.

    It compares the last run with the one a week before, in both languages, and names no customer.
    """
    with foreground(settings):
        from flows.commands.digest import digest

        digest(settings, send)


@app.command(epilog=ELSEWHERE)
@takes(*HERE, "models", "show_pii", "global_holdout")
def mcp(
    settings: Settings,
    port: Annotated[
        int | None,
        typer.Option(
            envvar="MCP_PORT", min=1, max=65_535, help="answer on this port of 127.0.0.1; none: on the standard streams"
        ),
    ] = None,
) -> None:
    """Answer agents by the Model Context Protocol.

    They can ask for segments, customers, forecasts, campaigns and changes; nothing is written, launched or erased.
    """
    from flows.commands.mcp import answer_agents

    answer_agents(settings, port)


@app.command(epilog=ELSEWHERE)
@takes(*HERE, "outputs")
def erase(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A customer id or an e-mail address in each line.")],
    settings: Settings,
) -> None:
    """Erase people for good.

    They are removed from everything that this installation stores. If a later sync brings them back, the next run
    removes them again.
    """
    from flows.commands.erase import erase

    erase(settings, file.expanduser())


@app.command(epilog=ELSEWHERE)
@takes(*HERE, "outputs")
def person(
    name: Annotated[str, typer.Argument(metavar="PERSON", help="A customer id or an e-mail address.")],
    settings: Settings,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write: a page, or JSON where it ends in .json.")
    ] = Path("person.html"),
) -> None:
    """Write down everything that is kept about a person.

    It is for a request of access: what `churn erase` would remove, and where else to ask. Nothing is changed.
    """
    from flows.commands.person import person

    person(settings, name, file.expanduser())


@models.command(epilog=ELSEWHERE)
@takes("data_dir", "models")
def promote(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A version in the model store.")], settings: Settings
) -> None:
    """Make a stored model the champion."""
    from flows.commands.models import promote

    promote(settings, version)


@models.command(epilog=ELSEWHERE)
@takes("data_dir", "models")
def rollback(settings: Settings) -> None:
    """Make the previous champion the champion again."""
    from flows.commands.models import roll_back

    roll_back(settings)


@models.command(epilog=ELSEWHERE)
@takes(*SIMULATION, "data_dir", "training_customers", *EFFORT)
def ship(settings: Settings) -> None:
    """Train the project's own model again.

    It is written to model_artifacts/, for shops with too little history to train one.
    """
    with foreground(settings):
        from flows.commands.ship_model import ship_champion

        ship_champion(settings)


@app.command(epilog=ELSEWHERE)
@takes("data_dir", "models")
def package(
    settings: Settings,
    python: Annotated[
        Path | None,
        typer.Option(
            envvar="LAMBDA_PYTHON", help="a Python 3.13, which compiles byte code for Lambda; none: one that is found"
        ),
    ] = None,
) -> None:
    """Build the Lambda packages.

    They are written to dist/, with the champion model in them.
    """
    from flows.commands.package import package

    package(settings, python)


@app.command(epilog=ELSEWHERE)
@takes(*HERE)
def docs(settings: Settings) -> None:
    """Write dbt's documentation of all tables.

    It is one page with models, columns, tests and exposures, as of the last run.
    """
    from flows.commands.document import document

    document(settings)


@app.command("validate-workbook")
def validate_workbook(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A .twb; none: tableau/marketing.twb.")] = None,
) -> None:
    """Check with Tableau whether it opens a workbook.

    It asks the server of TABLEAU_URL.
    """
    from flows.flow.publication import validate_workbook

    raise typer.Exit(validate_workbook(file and file.expanduser()))


@app.command()
def env(
    file: Annotated[Path, typer.Argument(metavar="FILE", envvar="ENV_FILE", help="Where to write.")] = Path(".env"),
) -> None:
    """Write Terraform's outputs as variables.

    Secrets are left out.
    """
    from flows.commands.env_file import write_environment_file

    write_environment_file(file.expanduser())


@app.command()
def deploy() -> None:
    """Create the deployments on a Prefect server.

    It is the server of PREFECT_API_URL. Work pools, limit and automations are created too, unless Terraform owns them.
    """
    from flows.commands.deploy import deploy

    deploy()


@app.command()
def alert_test() -> None:
    """Send one alert, to see it arrive."""
    from flows.commands.alert_test import alert_test

    alert_test()


@app.command()
def redrive(
    queue_url: Annotated[str, typer.Option(envvar="QUEUE_URL", help="SQS queue of predictions")],
    dead_letter_queue_url: Annotated[str, typer.Option(envvar="DEAD_LETTER_QUEUE_URL", help="its dead-letter queue")],
    aws_region: Annotated[
        str | None,
        typer.Option(envvar="AWS_REGION", help="region of both; none: that of AWS_PROFILE"),
    ] = None,
) -> None:
    """Put dead letters back on their queue, with any credentials that AWS's own tools take."""
    from flows.commands.redrive import redrive_dead_letters

    redrive_dead_letters(queue_url, dead_letter_queue_url, aws_region)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command to its end, and returns the status that the process should exit with.

    `arguments`: the command and what it takes; None: those of the process.
    """
    try:
        typer.main.get_command(app).main(arguments, prog_name="churn")
    except SystemExit as ended:
        return int(ended.code or 0)
    except PipelineError as error:
        sys.stderr.write(f"\n{error}\n")
    except Exception:
        traceback.print_exc()
    return 1


if __name__ == "__main__":
    end = leave_without_teardown()
    end(main())
