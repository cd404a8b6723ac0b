"""A Prefect server: pools, automations, secrets."""
