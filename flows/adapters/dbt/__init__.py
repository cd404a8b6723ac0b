"""Runs the dbt project."""
