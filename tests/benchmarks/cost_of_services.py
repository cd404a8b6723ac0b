"""What the services around Snowflake cost a shop of so many customers in a month, in USD, from list prices of 2026."""

from dataclasses import dataclass

# Assumptions; ask your own contract.
AIRBYTE_PLAN = 10.00  # Airbyte Cloud, a month
AIRBYTE_MILLION_ROWS = 15.00  # of sources that are APIs
AIRBYTE_GB = 10.00  # of files and databases
CHANGED_CONTACTS = 0.2  # of all, a month
TABLEAU_CREATORS, TABLEAU_CREATOR, TABLEAU_VIEWERS, TABLEAU_VIEWER = 1, 75.00, 4, 15.00
PREFECT_STARTER = 100.00  # needed for Fargate; Prefect's own machines are in the free plan
FARGATE_CORE_HOUR, FARGATE_GB_HOUR = 0.04048, 0.004445
RUN_MINUTES = 20  # at least, of a day's run on Fargate, with the start of its task
SINK_EVERY_HOURS, SINK_SECONDS = 6, 65  # a merge keeps an XS awake for so long

FARGATE = ((200_000, 1, 4), (1_000_000, 2, 8))  # up to so many customers: cores, GB; as terraform/aws/ecs.tf
FARGATE_LARGEST = (4, 16)


@dataclass(frozen=True)
class Services:
    """`airbyte_events`: HubSpot's contacts and e-mail events as they come. `airbyte_orders`: files of orders read whole
    each night."""

    airbyte_events: float
    airbyte_orders: float
    tableau: float
    prefect: float
    fargate: float
    sink_credits: float


def services(customers: int, order_bytes: float, events_a_year: float, run_seconds: float) -> Services:
    """`order_bytes`, `events_a_year`: of the whole shop. `run_seconds`: of the warehouse, each day."""
    cores, gigabytes = next((size[1:] for size in FARGATE if customers <= size[0]), FARGATE_LARGEST)
    hours = 30 * max(RUN_MINUTES, run_seconds / 60) / 60
    changed = events_a_year / 12 + CHANGED_CONTACTS * customers
    return Services(
        airbyte_events=AIRBYTE_PLAN + changed / 1e6 * AIRBYTE_MILLION_ROWS,
        airbyte_orders=30 * order_bytes / 1e9 * AIRBYTE_GB,
        tableau=TABLEAU_CREATORS * TABLEAU_CREATOR + TABLEAU_VIEWERS * TABLEAU_VIEWER,
        prefect=PREFECT_STARTER,
        fargate=hours * (cores * FARGATE_CORE_HOUR + gigabytes * FARGATE_GB_HOUR),
        sink_credits=30 * 24 / SINK_EVERY_HOURS * SINK_SECONDS / 3600,
    )
