import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.audit import open_build, read_audit, why_not_publishable
from orchestration.home import PROJECT, Home

FILES = {
    "dbt_project.yml": """
        name: mini
        version: "1.0"
        profile: mini
        on-run-start: "{{ clear_audit() }}"
        on-run-end: "{{ record_audit(results) }}"
        flags: {send_anonymous_usage_stats: false}
        models: {+materialized: table}
    """,
    "profiles.yml": """
        mini:
          target: duckdb
          outputs:
            duckdb:
              type: duckdb
              path: "{{ env_var('SEGMENTS_HOME') }}/warehouse/build.duckdb"
              threads: 1
    """,
    "seeds/bands.csv": "band\n1\n2\n",
    "models/customers.sql": "select * from {{ ref('distinct_bands') }}",
    "models/distinct_bands.sql": """
        {{ config(materialized='ephemeral') }} select distinct band from {{ ref('bands') }}
    """,
    "models/orders.sql": "select count(*) as order_count from {{ ref('customers') }}",
    "models/retired.sql": "{{ config(enabled=false) }} select 1 as one",
    "models/models.yml": """
        models:
          - name: customers
            columns: [{name: band, data_tests: [not_null]}]
        unit_tests:
          - name: bands_are_counted
            model: orders
            given: [{input: ref('customers'), rows: [{band: 1}]}]
            expect: {rows: [{order_count: 1}]}
    """,
    # A singular test that warns, which is no failure.
    "tests/assert_few_bands.sql": """
        {{ config(severity='warn') }} select * from {{ ref('bands') }}
    """,
    "tests/assert_bands_below_three.sql": "select band from {{ ref('bands') }} where band > 2",
}
MACROS = ("audit_table", "clear_audit", "record_audit")


def dedent(text):
    lines = text.lstrip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines) + "\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mini")
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(content))
    (folder / "macros").mkdir()
    for name in MACROS:
        shutil.copy(PROJECT / "macros" / f"{name}.sql", folder / "macros")
    return folder


@pytest.fixture(scope="module")
def place(project):
    return Home(project / "home").prepare()


def dbt(project, place, *arguments):
    """Run dbt and return its exit code and the audit that it left."""
    ended = subprocess.run(
        [Path(sys.executable).with_name("dbt"), *arguments],
        cwd=project,
        env={**os.environ, "SEGMENTS_HOME": str(place.root), "DBT_PROFILES_DIR": str(project)},
        capture_output=True,
        text=True,
    )
    if not place.build_file.exists():
        return ended.returncode, None
    with open_build(place) as build:
        return ended.returncode, read_audit(build)


def test_the_audit_of_dbt_commands(project, place):
    """One test, since each dbt command takes seconds: a build's audit and what becomes of it."""
    code, audit = dbt(project, place, "build")
    # Before the first ingestion there is no ledger, and no delivery to name.
    assert (code, audit.passed, audit.last_delivery_id) == (0, True, None)
    # A seed, two models, three data tests; not the unit test, the ephemeral or the disabled model.
    assert (audit.nodes_expected, audit.nodes_run, audit.failures) == (6, 6, ())
    assert audit.relations == {"main.bands", "main.customers", "main.orders"}
    assert why_not_publishable(audit, None) is None

    with duckdb.connect(str(place.build_file)) as build:
        build.execute("create schema raw; create table raw.deliveries (delivery_id bigint)")
        build.execute("insert into raw.deliveries values (41), (42), (7)")
    code, partial = dbt(project, place, "build", "--select", "customers")
    assert (code, partial.passed, partial.last_delivery_id) == (0, False, 42)
    assert why_not_publishable(partial, 42).startswith("the last build ran 2 of 6 nodes")

    assert dbt(project, place, "run") == (0, None)

    (project / "seeds" / "bands.csv").write_text("band\n1\n3\n")
    code, failed = dbt(project, place, "build")
    assert (code, failed.passed) == (1, False)
    assert failed.failures == ("test.mini.assert_bands_below_three",)
    assert "test.mini.assert_bands_below_three" in why_not_publishable(failed, 42)
