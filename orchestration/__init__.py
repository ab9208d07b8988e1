"""Orchestration of the warehouse: ingestion, build, publish, the Dagster assets and the commands."""
