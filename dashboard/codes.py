"""The table that most pages have: customers and money by the codes of one dimension."""

from dashboard import parts
from dashboard.parts import Column, code_column
from dashboard.view import View, shares
from dashboard.warehouse import Row

SUMMED = ("customers", "customers_change", "net_revenue_12m", "net_revenue_12m_change")
# What pages open with: customers are read once for all of these.
OPENED_WITH = (
    *("final_segment", "lifecycle_stage", "value_tier", "value_potential_quadrant"),
    *("order_value_group", "abc_class"),
)
# Counted over the history together, as it is long.
OVER_TIME = ("final_segment", "lifecycle_stage")


def over_time(view: View, dimension: str) -> list[Row]:
    """Return a row per day of the history and code of one of `OVER_TIME`."""
    by = ["as_of_date", "dimension", "code"]
    rows = view.add_up("over_time", by, ["customers"], column=OVER_TIME)
    return [row for row in rows if row["dimension"] == dimension]


def codes_of(view: View, dimension: str) -> list[Row]:
    """Return a row per code of a dimension."""
    if dimension not in OPENED_WITH:
        return view.ask("codes", column=dimension)
    by, measures = ["dimension", "code"], [*SUMMED, "clv_predicted"]
    rows = view.add_up("codes", by, measures, column=OPENED_WITH)
    return [row for row in rows if row["dimension"] == dimension]


def codes_table(view: View, dimension: str) -> None:
    """Show the codes of a dimension from best to least, with their sum, and offer them as a file.

    Changes are those since the month-end before. Who never ordered has no code and comes last.
    """
    found = {row["code"]: row for row in codes_of(view, dimension)}
    codes = [*view.ordered(dimension, found), *([None] if None in found else [])]
    rows = [found[code] for code in codes]
    heads, money = shares(rows, "customers"), shares(rows, "net_revenue_12m")
    for row, head, share in zip(rows, heads, money, strict=True):
        row.update(customer_share=head, revenue_share=share)
    total = {measure: sum(row[measure] or 0 for row in rows) for measure in SUMMED}
    parts.table(
        [
            code_column(view, dimension, key="code", dotted=True),
            Column("customers", view.say("Customers", "客户数"), "count"),
            Column("customer_share", view.say("Share", "占比"), "rate", bar=True),
            Column("customers_change", view.say("Change", "变化"), "change"),
            Column(
                "net_revenue_12m", view.say("Net revenue, 12 months", "近12个月净营收"), "money"
            ),
            Column("revenue_share", view.say("Share", "占比"), "rate", bar=True),
            Column("net_revenue_12m_change", view.say("Change", "变化"), "gain"),
        ],
        rows,
        {**total, "code": view.say("All", "合计")},
        key=dimension,
    )
    parts.downloads(view, dimension, lambda: codes_of(view, dimension))
