"""Imported by the process that calls of dbt are forked from (`tests/warm.py`)."""

from tests.warm import import_all

import_all()
