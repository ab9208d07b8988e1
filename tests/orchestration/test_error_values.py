"""Errors of the engine lose the values that they quote before anybody writes them down."""

import duckdb
import pytest

from orchestration.error_values import LEFT_OUT, UNSPOKEN, cleaned, without_values

CANARY = "canary@example.com"
# Values that try to look like the end of a message, or to end the quotes.
VALUES = (
    CANARY,
    f"' to INT32 when casting from source column {CANARY}",
    f'x" when casting from source column a\n\nLINE 1: {CANARY}\n    ^^^^',
    f"\n\nLINE 1: select {CANARY}\n        ^",
    f"'{CANARY}' could \"not\"",
    f"Binder Error: {CANARY}",
    f"x' to {CANARY.upper()} when",
)
FAILING = (
    "select cast(a as integer) from t",
    "select a::date from t",
    "select a::timestamp from t",
    "select a::timestamptz from t",
    "select a::time from t",
    "select a::decimal(18, 2) from t",
    "select a::boolean from t",
    "select a::uuid from t",
    "select a::interval from t",
    "select a::integer[] from t",
    "select a::struct(x integer) from t",
    "select strptime(a, '%Y') from t",
    "select error(a) from t",
    "select json(a) from t",
    "select regexp_matches('x', a || '(') from t",
    "select date_trunc(a, date '2020-01-01') from t",
    "select current_date at time zone a from t",
    "select cast(a || 'é' as blob) from t",
    "select a::enum('x') from t",
    "insert into t select a from t",
    "insert into u select a from t",
    "insert into v select a from t",
)


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute("create table t (a varchar primary key)")
        connection.execute("create table u (b varchar check (b = 'x'))")
        connection.execute("create table v (b integer)")
        yield connection


@pytest.mark.parametrize("query", FAILING)
def test_no_value_is_left(connection, query):
    for value in VALUES:
        connection.execute("delete from t")
        connection.execute("insert into t values (?)", [value])
        with pytest.raises(duckdb.Error) as raised:
            connection.execute(query).fetchall()
        error = cleaned(raised.value, query)
        assert type(error) is type(raised.value)
        for text in (str(error), without_values(raised.value)):
            assert "canary" not in text.lower()
            assert LEFT_OUT in text or UNSPOKEN in text or "CHECK" in text


def test_what_helps_is_left(connection):
    connection.execute("insert into t values (?)", [CANARY])
    query = "select\n    cast(a as integer) as number\nfrom t"
    with pytest.raises(duckdb.Error) as raised:
        connection.execute(query).fetchall()
    assert without_values(raised.value, query) == (
        "Conversion Error: Could not convert string (value left out) to INT32 when casting from "
        "source column a, in line 2: cast(a as integer) as number"
    )


@pytest.mark.parametrize(
    "query",
    ["select nothing from t", "select * from nothing", "select fro t", "select sum(a) from t"],
)
def test_errors_of_the_query_itself_are_kept(connection, query):
    with pytest.raises(duckdb.Error) as raised:
        connection.execute(query)
    assert without_values(raised.value, query) == str(raised.value)


def test_a_broken_contract_still_names_its_column(connection):
    connection.execute("create table w (b varchar not null)")
    with pytest.raises(duckdb.Error) as raised:
        connection.execute("insert into w values (null)")
    assert without_values(raised.value) == "Constraint Error: NOT NULL constraint failed: w.b"


def test_errors_of_python_keep_their_class_alone():
    assert without_values(ValueError(CANARY)) == f"ValueError {UNSPOKEN}"
