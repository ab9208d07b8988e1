# Grain: one row per as-of date, source, repeat order days, age in weeks and step of levels.
import pyarrow as pa

from estimation import populations

KEY = ("as_of_date", "source")
SCHEMA = pa.schema(
    {
        "as_of_date": pa.date32(),
        "source": pa.string(),
        "frequency": pa.int64(),
        "age_weeks": pa.int32(),
        "level_step": pa.int32(),
        "multiple": pa.float64(),
        "gain": pa.float64(),
    }
)


def model(dbt, session):
    """Tell what whoever is still a customer spends at each level; of the newest as-of alone."""
    ages = (
        dbt.ref("int_clv__ages")
        .filter("is_newest")
        .select("* exclude (age_days)")
        .distinct()
        .order("as_of_date, source, frequency, age_weeks")
    )
    tables = [SCHEMA.empty_table()]
    for key, population in populations.split(ages.to_arrow_table(), KEY):
        tables.append(populations.table(KEY, key, populations.multiples(population), SCHEMA))
    return pa.concat_tables(tables)
