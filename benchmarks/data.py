"""The history that the benchmarks run on, made by DuckDB from hashes of row numbers.

The sample generator simulates one customer after the other and would take hours for 20 million
orders. Here every value is a function of a row number and a salt, so the same call of the same
DuckDB writes the same files; the shape is a real shop's: most customers order seldom and a few
often, many stop, the shop grows, some orders are corrected later, some are refunded.
"""

import datetime
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

LAST_DAY = datetime.date(2026, 6, 15)  # in mid-month: the next day is a plain day, no month-end
MONTHS = 36
FIRST_DAY = LAST_DAY.replace(year=LAST_DAY.year - MONTHS // 12) + datetime.timedelta(days=1)
ORDERS_PER_CUSTOMER = 20
ORDERS_PER_FILE = 2_000_000
PRODUCTS = 3_000

# `u` is uniform in [0, 1), `k` a whole number below its last argument; hashed twice, since one hash
# of two values combines theirs and two salts would go together. The product of three uniforms gives
# most customers few orders and few many: of those who order at all half have 9 or fewer, one in a
# hundred more than 230; about a quarter have none. The factor, a prime, keeps neighbours in rank
# from being neighbours in name.
MACROS = """
create macro products() as {products};
create macro u(n, salt) as hash(hash(n, salt))::double / 18446744073709551616.0;
create macro k(n, salt, below) as (hash(hash(n, salt)) % below)::bigint;
create macro customer_of(n, customers) as
    (floor(customers * u(n, 'c1') * u(n, 'c2') * u(n, 'c3'))::bigint * 7919) % customers;
create macro customer_name(c) as 'C' || lpad(c::varchar, 8, '0');
create macro order_name(n) as 'SO-' || lpad(n::varchar, 10, '0');
create macro product_of(n, line) as
    floor(products() * u(n * 8 + line, 'p1') * u(n * 8 + line, 'p2'))::bigint;
create macro product_name_of(p) as 'P' || lpad(p::varchar, 5, '0');
create macro price_of(p) as
    ((499 + floor(40000 * u(p, 'price') * u(p, 'price 2')))::bigint / 100)::decimal(18, 6);
create macro line_count_of(n) as
    1 + (u(n, 'lines') < 0.34)::int + (u(n, 'lines') < 0.12)::int + (u(n, 'lines') < 0.04)::int;
create macro quantity_of(n, line) as
    1 + (u(n * 8 + line, 'quantity') < 0.3)::int + (u(n * 8 + line, 'quantity') < 0.1)::int * 2;
create macro line_discount_of(n, line) as
    case when u(n * 8 + line, 'discount') < 0.1 then round(
        price_of(product_of(n, line)) * 0.05, 2)::decimal(18, 6) end;
create macro order_discount_of(n) as
    case when u(n, 'discount') < 0.12 then round(
        price_of(product_of(n, 1)) * 0.1, 2)::decimal(18, 6) end;
"""

ORDERS = """
select
    order_name(n) as order_id,
    customer_name(customer) as customer_id,
    ordered_at,
    case
        when is_cancelled or u(n, 'status') < 0.02 then 'cancelled'
        when u(n, 'status') < 0.03 then 'pending'
        when u(n, 'status') < 0.032 then 'test'
        else 'completed'
    end as status,
    case when u(n, 'channel') < 0.7 then 'online' else 'offline' end as channel,
    case
        when u(n, 'currency') < 0.03 then 'USD'
        when u(n, 'currency') < 0.05 then 'EUR'
        when u(n, 'currency') < 0.5 then 'CNY'
    end as currency,
    order_discount_of(n) as discount_amount,
    round(price_of(product_of(n, 1)) * 0.06, 2)::decimal(18, 6) as tax_amount,
    case when u(n, 'shipping') < 0.4 then 12 end::decimal(18, 6) as shipping_amount,
    updated_at
from {table}
"""

LINES = """
select
    order_name(n) as order_id,
    line_number,
    product_name_of(product_of(n, line_number)) as product_id,
    (quantity_of(n, line_number) + extra_pieces)::decimal(18, 6) as quantity,
    price_of(product_of(n, line_number)) as unit_price,
    line_discount_of(n, line_number) as discount_amount,
    case
        when u(n * 8 + line_number, 'cost') < 0.97 then round(
            price_of(product_of(n, line_number))
            * (0.5 + 0.4 * u(product_of(n, line_number), 'cost'))::decimal(9, 4), 2
        )::decimal(18, 6)
    end as unit_cost,
    updated_at
from {table}
cross join (select unnest(range(1, 5)) as line_number)
where line_number <= line_count_of(n)
"""

# Half of the refunds pay the whole order back, three in ten a piece of the first line, the rest a
# part of the money.
REFUNDS = """
with

totals as (

    select
        n,
        refunded_at,
        sum(
            quantity_of(n, line_number) * price_of(product_of(n, line_number))
            - coalesce(line_discount_of(n, line_number), 0)
        ) - coalesce(any_value(order_discount_of(n)), 0) as total
    from {table}
    cross join (select unnest(range(1, 5)) as line_number)
    where line_number <= line_count_of(n)
    group by n, refunded_at

)

select
    'R-' || lpad(n::varchar, 10, '0') || '{suffix}' as refund_id,
    order_name(n) as order_id,
    case when u(n, 'kind') >= 0.5 and u(n, 'kind') < 0.8 then 1 end::bigint as line_number,
    null::varchar as customer_id,
    refunded_at,
    case
        when u(n, 'kind') < 0.5 then total
        when u(n, 'kind') < 0.8 then price_of(product_of(n, 1))
        else round(total * 0.2, 2)
    end::decimal(18, 6) as amount,
    case when u(n, 'kind') >= 0.5 and u(n, 'kind') < 0.8 then 1 end::decimal(18, 6) as quantity,
    'returned' as reason,
    refunded_at as updated_at
from totals
"""

CUSTOMERS = """
select
    customer_name(c) as customer_id,
    case when u(c, 'type') < 0.1 then 'business' else 'consumer' end as customer_type,
    'Customer ' || c as name,
    'c' || c || '@example.com' as email,
    '+86' || (13000000000 + k(c, 'phone', 999999999)) as phone,
    date '1950-01-01' + k(c, 'birth', 20000)::int as birth_date,
    case when u(c, 'gender') < 0.5 then 'f' else 'm' end as gender,
    first_seen_of(c) as registered_at,
    case when u(c, 'verified') < 0.5 then first_seen_of(c) + interval 1 hour end as verified_at,
    'CN' as country,
    'Region ' || k(c, 'region', 30) as region,
    'City ' || k(c, 'city', 300) as city,
    case when u(c, 'type') < 0.1 then 'Industry ' || k(c, 'industry', 12) end as industry,
    case when u(c, 'type') < 0.1 then 1000000 end::decimal(18, 6) as annual_revenue,
    'email' as preferred_contact_channel,
    'search' as acquisition_channel,
    null::varchar as account_manager,
    null::varchar as referrer_customer_id,
    u(c, 'consent') < 0.6 as marketing_consent,
    {updated_at} as updated_at
from range({first}, {last}) as numbers (c)
"""

PRODUCT_ROWS = """
select
    product_name_of(p) as product_id,
    'Product ' || p as product_name,
    'Category ' || k(p, 'category', 25) as category,
    case when u(p, 'kind') < 0.05 then 'service' else 'product' end as product_kind,
    case when u(p, 'tier') < 0.3 then 'premium' else 'value' end as price_tier,
    case when u(p, 'known cost') < 0.9 then round(
        price_of(p) * (0.5 + 0.4 * u(p, 'cost'))::decimal(9, 4), 2
    ) end::decimal(18, 6) as unit_cost,
    {updated_at} as updated_at
from range(products()) as numbers (p)
"""

INTERACTIONS = """
select
    'I-' || lpad(i::varchar, 10, '0') as interaction_id,
    customer_name(customer_of(i, {customers})) as customer_id,
    occurred_at,
    case k(i, 'interaction', 10)
        when 0 then 'complaint' when 1 then 'service_ticket' when 2 then 'csat'
        when 3 then 'consultation' when 4 then 'login' else 'visit'
    end as interaction_type,
    'online' as channel,
    null::varchar as topic,
    null::varchar as campaign_id,
    null::varchar as order_id,
    case when k(i, 'interaction', 10) = 2 then 1 + k(i, 'score', 5) end::decimal(18, 6) as score,
    null::timestamp as first_response_at,
    null::timestamp as resolved_at,
    null::varchar as referred_customer_id,
    occurred_at as updated_at
from (
    select i, {start} + interval 1 second * k(i, 'occurred', {seconds}) as occurred_at
    from range({first}, {last}) as numbers (i)
)
"""

# A customer is there from its first day to its last, which for most is the shop's; orders
# stand in the order of their time, as a shop numbers them. Guests are three in a hundred.
HISTORY = """
create macro born(c) as 0.9 * u(c, 'first seen') ** 2;
create macro first_seen_of(c) as
    {start} + interval 1 second * floor({seconds} * born(c))::bigint;
create table history as
select
    row_number() over (order by ordered_at, i) as n,
    customer,
    ordered_at,
    ordered_at as updated_at,
    false as is_cancelled,
    0 as extra_pieces
from (
    select
        i,
        case when u(i, 'guest') >= 0.03 then c end as customer,
        {start} + interval 1 second * floor({seconds} * (
            born(c)
            + (1 - born(c)) * u(i, 'moment')
            * case when u(c, 'stays') < 0.55 then 1 else u(c, 'stays 2') end
        ))::bigint as ordered_at
    from (select i, customer_of(i, {customers}) as c from range({orders}) as numbers (i))
);
create table corrected as
select
    n, customer, ordered_at,
    least(ordered_at + interval 1 hour * (1 + k(n, 'corrected', 480)), {end}) as updated_at,
    u(n, 'cancelled') < 0.2 as is_cancelled,
    1 as extra_pieces
from history
where u(n, 'is corrected') < 0.01;
create table refunded as
select n, ordered_at + interval 1 hour * (24 + k(n, 'refunded', 960)) as refunded_at
from history
where u(n, 'is refunded') < 0.03 and refunded_at < {end};
"""

# One order in a thousand is new. Old ones are corrected and refunded as often as on any day, half
# of them from the last weeks and half from all the years.
NEXT_DAY = """
create table new_orders as
select
    {orders} + 1 + i as n,
    case
        when u(i, 'new guest') < 0.03 then null
        when u(i, 'new customer') < 0.03 then {customers} + i % {new_customers}
        else customer_of({orders} + i, {customers})
    end as customer,
    {end} + interval 1 second * (i * 86400 // {new}) as ordered_at,
    ordered_at as updated_at,
    false as is_cancelled,
    0 as extra_pieces
from range({new}) as numbers (i);
create table touched as
select i, case
    when i % 2 = 0 then {orders} - k(i, 'recent', {orders} // 40)
    else 1 + k(i, 'old', {orders})
end as n
from range({touched}) as numbers (i);
create table new_corrections as
select
    n, customer, ordered_at,
    {end} + interval 1 hour * k(n, 'hour', 24) as updated_at,
    u(n, 'cancelled again') < 0.2 as is_cancelled,
    2 as extra_pieces
from history
where n in (select n from touched where i % 4 < 2);
create table new_refunds as
select n, {end} + interval 1 hour * k(n, 'hour', 24) as refunded_at
from history
where n in (select n from touched where i % 4 >= 2);
"""


@dataclass(frozen=True)
class Deliveries:
    """Where the made files lie: landing folders of a history and of the day after it."""

    history: Path
    next_day: Path
    orders: int
    new_orders: int


def deliveries(folder: Path, orders: int) -> Deliveries:
    """Return the deliveries of a shop of this many orders, written only where they are not yet.

    Args:
        folder: holds one folder per size, made when needed.
        orders: orders of the history; a twentieth as many customers.
    """
    place = folder / f"shop_{orders}"
    made = Deliveries(place / "history", place / "next_day", orders, max(orders // 1000, 1))
    stamp = place / "made_by"
    if not stamp.exists() or stamp.read_text() != _maker():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        _write(made, place / "working.duckdb")
        stamp.write_text(_maker())
    return made


def _maker() -> str:
    """Identify what decides the files' bytes: this module and the engine with its hash."""
    return f"{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()} {duckdb.__version__}"


def _write(made: Deliveries, working: Path) -> None:
    customers = max(made.orders // ORDERS_PER_CUSTOMER, 1)
    end = LAST_DAY + datetime.timedelta(days=1)
    facts = {
        "orders": made.orders,
        "customers": customers,
        "new": made.new_orders,
        "new_customers": max(made.new_orders // 50, 1),
        "touched": max(made.orders // 2500, 4),
        "start": f"timestamp '{FIRST_DAY}'",
        "end": f"timestamp '{end}'",
        "seconds": int((end - FIRST_DAY).total_seconds()),
    }
    config = {"memory_limit": "4GB", "temp_directory": str(working.with_suffix(".spill"))}
    with duckdb.connect(str(working), config=config) as connection:
        connection.execute(MACROS.format(products=PRODUCTS))
        connection.execute(HISTORY.format(**facts))
        connection.execute(NEXT_DAY.format(**facts))
        for path, query in _history_files(facts):
            _copy(connection, made.history / "shop" / path, query)
        for path, query in _next_day_files(facts):
            _copy(connection, made.next_day / "shop" / path, query)
    working.unlink()


def _history_files(facts: dict[str, object]) -> list[tuple[str, str]]:
    """Return path and query of each file of the history, in the order of their time."""
    orders, files = int(str(facts["orders"])), []
    for number, after in enumerate(range(0, orders, ORDERS_PER_FILE)):
        part = f"(from history where n > {after} and n <= {after + ORDERS_PER_FILE} order by n)"
        files += [
            (f"orders/orders_{number:03}.parquet", ORDERS.format(table=part)),
            (f"order_lines/order_lines_{number:03}.parquet", LINES.format(table=part)),
        ]
    customers, interactions = int(str(facts["customers"])), int(str(facts["customers"])) * 2
    return [
        *files,
        ("orders/orders_corrected.parquet", ORDERS.format(table="corrected")),
        ("order_lines/order_lines_corrected.parquet", LINES.format(table="corrected")),
        ("refunds/refunds.parquet", REFUNDS.format(table="refunded", suffix="")),
        (
            "customers/customers.parquet",
            CUSTOMERS.format(first=0, last=customers, updated_at="first_seen_of(c)"),
        ),
        ("products/products.parquet", PRODUCT_ROWS.format(updated_at=facts["start"])),
        (
            "interactions/interactions.parquet",
            INTERACTIONS.format(first=0, last=interactions, **facts),
        ),
    ]


def _next_day_files(facts: dict[str, object]) -> list[tuple[str, str]]:
    """Return path and query of each file of the day after the history."""
    customers, new_customers = int(str(facts["customers"])), int(str(facts["new_customers"]))
    changed = "(from new_orders union all from new_corrections)"
    day = facts | {"start": facts["end"], "seconds": 86_400}
    return [
        ("orders/orders_next_day.parquet", ORDERS.format(table=changed)),
        ("order_lines/order_lines_next_day.parquet", LINES.format(table=changed)),
        ("refunds/refunds_next_day.parquet", REFUNDS.format(table="new_refunds", suffix="-2")),
        (
            "customers/customers_next_day.parquet",
            CUSTOMERS.format(
                first=customers, last=customers + new_customers, updated_at=facts["end"]
            ).replace("first_seen_of(c)", str(facts["end"])),
        ),
        (
            "interactions/interactions_next_day.parquet",
            INTERACTIONS.format(
                first=customers * 2, last=customers * 2 + int(str(facts["new"])), **day
            ),
        ),
    ]


def _copy(connection: duckdb.DuckDBPyConnection, path: Path, query: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(f"copy ({query}) to '{path}' (format parquet)")
