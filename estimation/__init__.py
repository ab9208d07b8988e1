"""Models of repeat buying and spend: pure numpy and scipy, no dbt, no Dagster, no DuckDB."""
