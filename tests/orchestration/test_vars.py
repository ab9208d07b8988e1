"""What is given to dbt on the command line becomes no SQL."""

import json
import re

import jinja2
import pytest

from orchestration.home import PROJECT
from tests.shops import segments

INJECTION = "shop' as source; create table pwn as select 1; --"
KEY = "order_id || ':' || line_number"


class Refused(Exception):
    pass


def declared_sources(sources: object) -> object:
    """Call the macro as dbt would, with the var `sources` given."""
    found = []

    def refuse(message: str) -> None:
        raise Refused(message)

    macro = (PROJECT / "macros" / "declared_sources.sql").read_text(encoding="utf-8")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.from_string(macro + "{{ declared_sources() }}").render(
        var=lambda name: {"sources": sources}[name],
        modules={"re": re},
        exceptions={"raise_compiler_error": refuse},
        **{"return": found.append},
    )
    return found[0]


def with_(source="shop", entity="orders", feed="orders", key="order_id") -> dict[str, object]:
    return {source: {"entities": ["customers", entity], "rejecting": {feed: key}}}


@pytest.mark.parametrize("part", ["source", "entity", "feed", "key"])
@pytest.mark.parametrize(
    "given",
    [
        INJECTION,
        "order_id; drop table staging.stg_shop__orders",
        "orders') }}{{ run_query('drop table x') }}",
        "orders\n",
        "orders --",
        'orders"',
        "Orders",
        "örders",
        "1orders",
        "",
        "(select email from raw.shop__customers)",
        "order_id || ':' || line_number || x(y)",
        "order_id || '; drop' || line_number",
    ],
)
def test_a_name_that_is_none_is_refused(part, given):
    with pytest.raises(Refused, match="vars: sources: "):
        declared_sources(with_(**{part: given}))


def test_the_sources_of_the_project_are_names():
    assert declared_sources(with_()) == with_()
    assert declared_sources(with_(key=KEY)) == with_(key=KEY)


def test_there_is_no_other_var_and_no_other_way_to_it():
    """A new var, or a macro that reads this one by itself, would need a check of its own."""
    used = {
        (path.name, name)
        for folder in ("models", "macros", "tests/singular", "tests/generic")
        for path in (PROJECT / folder).rglob("*.*")
        if path.suffix in (".sql", ".yml", ".py")
        for name in re.findall(r"(?<![\w.])var\(\s*(.*?)\s*[,)]", path.read_text(encoding="utf-8"))
    }
    assert used == {("declared_sources.sql", "'sources'")}


def test_an_injection_by_the_command_line_is_refused_before_any_sql(tmp_path):
    """Fault 70, which was once seen to drop tables while dbt said OK."""
    hostile = {"sources": with_(source=INJECTION)}
    done = segments(tmp_path, "dbt", "build", "--vars", json.dumps(hostile))
    assert done.returncode != 0
    assert "a name must be like [a-z][a-z0-9_]*" in done.stdout
    assert not (tmp_path / "warehouse" / "build.duckdb").exists()
