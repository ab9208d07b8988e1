"""Contracts are read as they stand, and a wrong one says where and what is allowed."""

import pytest

from orchestration import contracts


def test_the_projects_own_contracts_are_read():
    found = contracts.load()
    assert {"online_retail", "shop"} <= set(found)
    shop = found["shop"]
    assert {"orders", "order_lines", "customer_links"} <= {feed.name for feed in shop.feeds}
    assert [feed.name for feed in shop.feeds if feed.required] == ["orders", "order_lines"]
    line_number = shop.feed("order_lines").columns[1]
    assert (line_number.name, line_number.sql_type, line_number.required) == (
        "line_number",
        "bigint",
        True,
    )
    retail = found["online_retail"]
    assert retail.timezone == "Europe/London"
    assert retail.feed("invoice_lines").columns[6].header == "Customer ID"
    assert "ledger" not in found


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("encoding", "klingon", "unknown encoding 'klingon'. Known are utf-8"),
        ("delimiter", "||", "the delimiter must be one ASCII character"),
        ("quote", ",", "delimiter and quote are the same"),
        ("timezone", "Moon/Base", "unknown timezone 'Moon/Base'"),
        ("null_values", [0], "expected a list of texts"),
        ("maximum_quarantined_share", 3, "must lie in 0 to 1"),
        ("decimal_separator", ";", "a point or a comma"),
        ("date_formats", ["%Q"], "'%Q' is no strptime format"),
    ],
)
def test_a_wrong_dialect_names_what_is_allowed(shop, setting, value, message):
    shop.contract[setting] = value
    with pytest.raises(contracts.ContractError, match=message.replace(".", r"\.")):
        shop.load()


def test_an_unknown_type_is_named_with_its_column(shop):
    shop.columns[2]["data_type"] = "money"
    with pytest.raises(contracts.ContractError, match="column amount: unknown data_type 'money'"):
        shop.load()


def test_a_key_must_be_a_column(shop):
    shop.meta["key"] = ["order_id", "line"]
    with pytest.raises(contracts.ContractError, match="the key names line, which is no column"):
        shop.load()


@pytest.mark.parametrize("name", ["Order", "a b", 'x"; drop table y; --', "_hidden", "1st"])
def test_a_name_that_is_no_identifier_is_refused(shop, name):
    shop.columns[1]["name"] = name
    with pytest.raises(contracts.ContractError, match="is no name"):
        shop.load()
