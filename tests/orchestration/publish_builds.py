"""A tiny build file as dbt and ingestion would leave it, for the tests of publishing."""

import duckdb

from orchestration.home import Home

CUSTOMERS = [(f"shop:{number}", f"{number}.50") for number in range(50)]
CREATE = """
create schema if not exists core;
create schema if not exists customers;
create schema if not exists segments;
create schema if not exists trust;
create schema if not exists intermediate;
create schema if not exists raw;
create schema if not exists control;
create or replace table core.customers (customer_id varchar not null, amount decimal(18, 2));
comment on table core.customers is 'One row per customer; it''s "quoted"; a semicolon';
comment on column core.customers.amount is 'Net revenue, in the base currency';
create or replace table customers.customer_segments (
    customer_id varchar not null, as_of_date date not null, segment varchar, stamp integer
);
create or replace table segments."segment labels" (label varchar, "order" integer not null);
create or replace table trust.deliveries (delivery_id bigint not null, stamp integer);
create or replace table intermediate.int_secrets (email varchar);
create or replace table raw.deliveries (
    delivery_id bigint, source varchar, feed varchar, file_name varchar, sha256 varchar,
    status varchar, records_counted bigint, rows_landed bigint, rows_quarantined bigint,
    loaded_at timestamp
);
create or replace table control.build_audit (
    invocation_id varchar, finished_at timestamp, passed boolean, nodes_expected integer,
    nodes_run integer, last_delivery_id bigint, failures varchar
);
"""


def make_build(place: Home, stamp=1, customers=CUSTOMERS, deliveries=1):
    """Write a build that passed; `stamp` goes into one table of each of two schemas."""
    place.prepare()
    with duckdb.connect(str(place.build_file)) as build:
        build.execute(CREATE)
        if customers:
            build.executemany("insert into core.customers values (?, ?::decimal(18, 2))", customers)
            build.execute(
                "insert into customers.customer_segments "
                "select customer_id, date '2011-11-30' + ?::integer, 'loyal', ? "
                "from core.customers",
                [stamp, stamp],
            )
        build.execute("insert into segments.\"segment labels\" values ('loyal', 1), (null, 2)")
        build.execute("insert into trust.deliveries values (1, ?)", [stamp])
        for number in range(1, deliveries + 1):
            build.execute(
                "insert into raw.deliveries values "
                "(?, 'shop', 'orders', ?, 'ab', 'landed', 10, 9, 1, timestamp '2011-12-01')",
                [number, f"orders_{number}.csv"],
            )
        build.execute(
            "insert into control.build_audit "
            "select 'run', timestamp '2011-12-01 02:00:00', true, 7, 7, max(delivery_id), '' "
            "from raw.deliveries"
        )
    return place


def change_build(place: Home, *statements):
    """Run statements on the build file."""
    with duckdb.connect(str(place.build_file)) as build:
        for statement in statements:
            build.execute(statement)
