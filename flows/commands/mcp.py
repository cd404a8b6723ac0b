"""`churn mcp`: answers agents by the Model Context Protocol, and changes nothing."""

import logging
import sys

import yaml

from flows.adapters.agents.figures import Figures
from flows.adapters.agents.server import create_server, run_on_http, run_on_stdio
from flows.adapters.agents.texts import Shown
from flows.adapters.agents.tools import tools
from flows.adapters.dbt.descriptions import read_descriptions
from flows.campaigns.targeting import Plan
from flows.errors import BadInput
from flows.flow.campaign import preview
from flows.settings import Settings
from flows.wiring import wire

SEGMENTS = "staging.rfm_segments"


def answer_agents(settings: Settings, port: int | None) -> None:
    """On the standard streams, or on a port of 127.0.0.1, until the caller leaves or a signal ends it."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)  # standard output has the protocol
    wiring = wire(settings, reads_only=True)

    def plan(definition: str) -> Plan:
        if not wiring.warehouse.exists(SEGMENTS):
            raise BadInput(
                "This role reads the marts alone, and a preview needs orders and contacts too: run"
                " `churn campaign preview FILE` with the role that owns the schemas."
            )
        _refuse_aliases(definition)
        return preview(wiring, definition, settings.global_holdout, settings.stop_sending_after_days)

    figures = Figures(
        wiring.warehouse, wiring.own_card, read_descriptions(wiring.dbt.folder), Shown(pii=settings.show_pii)
    )
    server = create_server(tools(figures, plan))
    if port is None:
        run_on_stdio(server)
        return
    sys.stderr.write(f"answering agents on http://127.0.0.1:{port}/mcp\n")
    run_on_http(server, port)


def _refuse_aliases(definition: str) -> None:
    """A few lines of aliases of aliases are gigabytes."""
    try:
        has_aliases = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(definition, yaml.SafeLoader))
    except yaml.YAMLError:
        return  # reading it says what is wrong
    if has_aliases:
        raise BadInput("The definition has YAML aliases (*name): write out what they stand for.")
