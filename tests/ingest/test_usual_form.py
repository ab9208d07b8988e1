"""Where a text is taken without a close look, it gives what the close look gives."""

import random

import duckdb
import pyarrow as pa
import pytest

from orchestration.contracts import Column
from orchestration.typing_rules import WHITESPACE, Rule, from_text, given_text

USUAL = {
    "bigint": ["0", "7", "-7", "1234567890123456789"],
    "int": ["0", "42", "-42", "2147483647"],
    "date": ["2024-02-29", "0999-12-31", "9999-12-31"],
    "timestamp": ["2024-02-29 23:59:59", "2024-03-31 01:30:00", "0024-01-01 00:00:00"],
}
SEEDS = {
    "bigint": ["007", "+5", "-0", "1_000", "1e5", "0x1F", "9223372036854775808", "5.0"],
    "int": ["2147483648", "1_0", "0b1"],
    "date": ["12024-01-01", "2024-1-3", "epoch", "infinity", "2023-02-29", "0044-03-15 (BC)"],
    "timestamp": [
        *("2024-01-01T10:00:00", "2024-01-01 24:00:00", "2024-01-01 23:59:60", "2024-01-01"),
        *("20524-01-01 10:00:00", "2024-01-01 10:00+08", "2024-01-01 10:00:00Z", "infinity"),
        *(" 2024-1-03 20:16:56", "2024-01-03 20:16:5 ", "2024-01-03  0:16:56"),
    ],
}
MARKS = "0123456789-+:. TZ_e\t"


def altered(texts: list[str], count: int) -> list[str]:
    """Return these texts and as many with a few characters changed, added or taken."""
    chance = random.Random(5)
    found = set(texts)
    for _ in range(count):
        text = chance.choice(texts)
        for _ in range(chance.randint(1, 3)):
            at = chance.randint(0, len(text))
            text = text[:at] + chance.choice(["", chance.choice(MARKS)]) + text[at + 1 :]
        found.add(text)
    return sorted(found - {""})


def judged(rule: Rule, texts: list[str]) -> list[tuple]:
    """Return each text, whether it is in the usual form, its value then and by the close look."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("texts", pa.table({"value": pa.array(texts, pa.string())}))
        return connection.execute(
            f"select value, coalesce(cast({rule.first_name} as varchar) = value, false), "
            f"cast({rule.usual} as varchar), cast({rule.typed} as varchar) "
            f"from (select *, {rule.first} as {rule.first_name} from texts)"
        ).fetchall()


@pytest.mark.parametrize("timezone", ["UTC", "Europe/London"])
@pytest.mark.parametrize("data_type", sorted(USUAL))
def test_the_usual_form_gives_what_the_close_look_gives(data_type, timezone):
    rule = from_text(Column("value", data_type, "value"), "value", timezone)
    texts = altered(USUAL[data_type] + SEEDS[data_type], 20_000)
    found = judged(rule, texts)
    assert [row for row in found if row[1] and row[2] != row[3]] == []
    usual = {row[0] for row in found if row[1]}
    assert usual >= set(USUAL[data_type])


def test_a_text_loses_ascii_whitespace_at_its_ends_and_nothing_else():
    chance = random.Random(6)
    parts = [*WHITESPACE, " ", "a", "b c", "张", "é", "\u3000", "\xa0", "\x1f", "\x7f", "!"]
    texts = {"".join(chance.choices(parts, k=chance.randint(0, 5))) for _ in range(20_000)}
    given = given_text(Column("value", "string", "value"), "value", ("a",))
    with duckdb.connect() as connection:
        connection.register("texts", pa.table({"value": pa.array(sorted(texts), pa.string())}))
        found = dict(connection.execute(f"select value, {given} from texts").fetchall())
    stripped = {text: text.strip(WHITESPACE) for text in texts}
    assert found == {
        text: short if short not in ("", "a") else None for text, short in stripped.items()
    }
