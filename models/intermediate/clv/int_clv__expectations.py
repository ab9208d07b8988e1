# Grain: one row per as-of date, source, repeat order days and age that a scored customer has.
import pyarrow as pa

from estimation import populations

KEY = ("as_of_date", "source")
SCHEMA = pa.schema(
    {
        "as_of_date": pa.date32(),
        "source": pa.string(),
        "frequency": pa.int64(),
        "age_days": pa.int32(),
        "orders_if_alive": pa.float64(),
        "discounted_orders_if_alive": pa.float64(),
    }
)


def model(dbt, session):
    """Tell how many orders are to be expected of whoever is still a customer."""
    ages = dbt.ref("int_clv__ages").order("as_of_date, source, frequency, age_days")
    tables = [SCHEMA.empty_table()]
    for key, population in populations.split(ages.to_arrow_table(), KEY):
        tables.append(populations.table(KEY, key, populations.expectations(population), SCHEMA))
    return pa.concat_tables(tables)
