"""Orchestration of the warehouse: ingestion, build, publish, Dagster assets, commands."""
