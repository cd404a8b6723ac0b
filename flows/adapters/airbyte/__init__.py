"""Syncs, by Airbyte's server or, on a laptop, by its CDK."""
