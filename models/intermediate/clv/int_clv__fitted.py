# Grain: one row per fit date, source, asked model and parameter (none, where none was found).
import pyarrow as pa

from estimation import populations

KEY = ("fit_date", "source")
SCHEMA = pa.schema(
    {
        "fit_date": pa.date32(),
        "source": pa.string(),
        "asked_model": pa.string(),
        "model": pa.string(),
        "parameter": pa.string(),
        "value": pa.float64(),
        "log_likelihood": pa.float64(),
        "customers": pa.int64(),
        "groups": pa.int64(),
        "capped_customers": pa.int64(),
        "spend_correlation": pa.float64(),
        "status": pa.string(),
        "reason": pa.string(),
    }
)


def model(dbt, session):
    """Fit the models of orders and spend to every population."""
    dates = dbt.ref("int_clv__fit_dates").to_arrow_table().to_pylist()
    settings = {row["fit_date"]: row for row in dates}
    groups = dbt.ref("int_clv__groups").order("fit_date, source, frequency, recency_days, age_days")
    spends = dbt.ref("int_clv__spend_groups").order("fit_date, source, frequency, log_step")
    rows = []
    for (fit_date, source), population in populations.split(groups.to_arrow_table(), KEY):
        asked = settings[fit_date]
        found = populations.fit_orders(
            population,
            asked["clv_minimum_repeat_buyers"],
            asked["clv_winsorised_share"],
            asked["clv_largest_groups"],
        )
        rows += [{"fit_date": fit_date, "source": source, **row} for row in found]
    for (fit_date, source), population in populations.split(spends.to_arrow_table(), KEY):
        found = populations.fit_spend(population, settings[fit_date]["clv_minimum_repeat_buyers"])
        rows += [{"fit_date": fit_date, "source": source, **row} for row in found]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
