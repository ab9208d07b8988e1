# Grain: one row per month-end that judges, source, origin, horizon, model, measure and bucket.
import pyarrow as pa

from estimation import populations

KEY = ("judged_on", "source", "origin_date", "horizon_days")
SCHEMA = pa.schema(
    {
        "judged_on": pa.date32(),
        "source": pa.string(),
        "origin_date": pa.date32(),
        "horizon_days": pa.int32(),
        "model": pa.string(),
        "measure": pa.string(),
        "bucket": pa.string(),
        "value": pa.float64(),
    }
)


def model(dbt, session):
    """Hold the forecasts of every origin against what came; in full for the newest month-end."""
    fits = populations.read_fits(dbt.ref("int_clv__fitted").to_arrow_table())
    holdouts = dbt.ref("int_clv__holdouts")
    judged = dbt.ref("int_clv__backtests").select("judged_on, interval_share").distinct()
    rows = []
    # One month-end at a time: a backfill of two years holds millions of rows.
    months = judged.order("judged_on").fetchall()
    for judged_on, interval_share in months:
        customers = holdouts.filter(f"judged_on = date '{judged_on.isoformat()}'").order(
            "judged_on, source, origin_date, horizon_days, customer_id"
        )
        for key, population in populations.split(customers.to_arrow_table(), KEY):
            _, source, origin_date, horizon_days = key
            found = populations.backtest(
                population,
                fits.get((origin_date, source), {}),
                horizon_days,
                interval_share,
                in_full=judged_on == months[-1][0],
            )
            rows += [dict(zip(KEY, key, strict=True)) | row for row in found]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
