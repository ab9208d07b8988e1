"""Complete Journey (dunnhumby/84.51) as deliveries of the shop, and its baskets by hand.

`sales_value` is what the retailer received for a line: after the loyalty card's discount and the
retailer's match of a coupon; a manufacturer's coupon is paid back to the retailer and takes nothing
off. So the line's price before discounts is `sales_value + retail_disc + coupon_match_disc` over
the quantity, rounded *up* to a millionth, and its discount is what is then above `sales_value`:
never negative, and quantity x unit price - discount is `sales_value` to the cent also for the tens
of thousands of units in which petrol is counted. A line of no pieces that brought money is one
piece; one that brought nothing stays a line of no pieces.

Times are taken as they stand, as UTC: the newest is 2018-01-01 04:01:20, which makes that the day
of the newest fact. A campaign contacts its households on the day it starts.
"""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb

LINES, SALES, BASKETS = 1_469_307, 4_596_039_58, 155_848
HOUSEHOLDS, CAMPAIGNS, CONTACTS = 2_469, 27, 6_589

# Of a line: cents received (`sales`) and before the shop's discounts, `millionths` of its price.
PRICED_LINES = """
    with amounts as (
        select *, cast(round(100 * sales_value) as bigint) as sales,
            sales_value + retail_disc + coupon_match_disc as before_discounts,
            cast(round(100 * before_discounts) as bigint) as full_price,
            if(quantity = 0 and sales > 0, 1, quantity) as pieces
        from '{folder}/transactions.parquet'
    )

    select *, if(pieces = 0, 0, (10000 * full_price + pieces - 1) // pieces) as millionths
    from amounts
"""

FEEDS = {
    "orders": """
        select distinct cast(basket_id as varchar) as order_id,
            cast(household_id as varchar) as customer_id, transaction_timestamp as ordered_at,
            'completed' as status, 'offline' as channel
        from priced_lines order by order_id
    """,
    "order_lines": """
        select cast(basket_id as varchar) as order_id,
            row_number() over (partition by basket_id order by product_id) as line_number,
            cast(product_id as varchar) as product_id,
            cast(pieces as decimal(18, 6)) as quantity,
            {millionths} as unit_price,
            {discount} as discount_amount
        from priced_lines order by order_id, line_number
    """,
    "customers": """
        select distinct cast(household_id as varchar) as customer_id, 'consumer' as customer_type
        from priced_lines order by customer_id
    """,
    "products": """
        select cast(product_id as varchar) as product_id, product_type as product_name,
            product_category as category, 'product' as product_kind
        from '{folder}/products.parquet' order by product_id
    """,
    "campaigns": """
        select cast(campaign_id as varchar) as campaign_id,
            'Campaign ' || campaign_id as campaign_name, campaign_type as kind,
            start_date as started_at, end_date as ended_at
        from '{folder}/campaign_descriptions.parquet' order by campaign_id
    """,
    "campaign_contacts": """
        select cast(campaign_id as varchar) as campaign_id,
            cast(household_id as varchar) as customer_id, 'treatment' as arm,
            start_date as contacted_at
        from '{folder}/campaigns.parquet'
        join '{folder}/campaign_descriptions.parquet' using (campaign_id)
        order by campaign_id, customer_id
    """,
}


def as_decimal(millionths: str) -> str:
    """Return SQL that makes whole millionths a decimal without passing a double."""
    whole, millionth = f"cast({millionths} as decimal(20, 0))", "cast(0.000001 as decimal(7, 6))"
    return f"cast({whole} * {millionth} as decimal(18, 6))"


def deliver_complete_journey(folder: Path, landing: Path) -> Mapping[str, int]:
    """Write the data set in `folder` as one Parquet delivery of each feed of the shop.

    Returns the number of records of each feed.
    """
    records = {}
    with duckdb.connect(":memory:") as connection:
        lines = PRICED_LINES.format(folder=folder)
        connection.execute(f"create view priced_lines as {lines}")
        for feed, query in FEEDS.items():
            query = query.format(
                folder=folder,
                millionths=as_decimal("millionths"),
                discount=as_decimal("pieces * millionths - 10000 * sales"),
            )
            path = landing / "shop" / feed / f"{feed}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            (records[feed],) = connection.execute(
                f"copy ({query}) to '{path}' (format parquet)"
            ).fetchone()
    return records


class Basket(NamedTuple):
    """A basket as the data set has it; money in cents."""

    basket_id: str
    household_id: str
    at: datetime.datetime
    net: int
    categories: frozenset[str]


def read_baskets(folder: Path) -> list[Basket]:
    """Return every basket with its sales and the categories of which it holds pieces."""
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(f"""
            select cast(basket_id as varchar), cast(household_id as varchar),
                transaction_timestamp,
                cast(sum(cast(sales_value as decimal(18, 2))) * 100 as bigint),
                list(distinct product_category) filter (
                    product_category is not null and (quantity > 0 or sales_value >= 0.005)
                )
            from '{folder}/transactions.parquet' left join '{folder}/products.parquet'
                using (product_id)
            group by all
        """).fetchall()
    return [Basket(*row[:4], frozenset(row[4] or ())) for row in rows]


def read_first_contacts(folder: Path) -> dict[str, datetime.datetime]:
    """Return when each household was first contacted by a campaign."""
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(f"""
            select cast(household_id as varchar), min(start_date)
            from '{folder}/campaigns.parquet'
            join '{folder}/campaign_descriptions.parquet' using (campaign_id)
            group by all
        """).fetchall()
    return dict(rows)
