"""A rule file says what it means, or is refused in one sentence with its line."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration import rules
from orchestration.rules import Change, RulesError, dated, read_rule_file, rows_on, timeless

HEADER = "seed,rule_id,column,value,valid_from,reason\n"
SEEDS = rules.read_seeds()
BANDS = SEEDS["bands"]
FROM = date(2026, 3, 1)


def file(folder: Path, *lines: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path = folder / "rules.csv"
    path.write_text(header + "\n".join(lines) + "\n", encoding=encoding)
    return path


def spend(cut: str, column: str = "lower_bound", code: str = "high") -> Change:
    return Change("bands", f"spend_band.{code}", column, cut)


def test_a_file_is_read_as_spreadsheets_write_it(tmp_path: Path):
    path = tmp_path / "rules.csv"
    path.write_bytes(
        b"\xef\xbb\xbfSeed;rule_id;column;value;valid_from;reason\r\n"
        + 'bands;spend_band.high;lower_bound; 12000 ;2026/3/1;大客户，"重"要\r\n'.encode()
        + b";;;;;\r\n"
        + b"settings;look_back_days;value;;2026-03-01;\r\n"
    )
    read = read_rule_file(path, SEEDS)
    assert read.valid_from == FROM
    assert read.changes == (
        Change("bands", "spend_band.high", "lower_bound", "12000", '大客户，"重"要'),
        Change("settings", "look_back_days", "value", ""),
    )
    assert read.seeds == ["bands", "settings"]


@pytest.mark.parametrize("value", ["30", "36500", ""])
def test_a_setting_may_lie_at_its_bounds_or_be_blank_where_blank_means_something(
    tmp_path: Path, value: str
):
    path = file(tmp_path, f"settings,look_back_days,value,{value},2026-03-01,")
    assert read_rule_file(path, SEEDS).changes[0].value == value


def test_what_is_written_is_read_again(tmp_path: Path):
    changes = (
        Change("bands", "spend_band.high", "lower_bound", "12000", "so, she said"),
        Change("service_tiers", "service_tier.mid_value", "loyalty_band", "high", "高"),
        Change("composite_weights", "spend", "weight", "50"),
    )
    path = tmp_path / "rules.csv"
    path.write_text(rules.rule_file_text(FROM, changes), encoding="utf-8")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_rule_file(path, SEEDS) == rules.RuleFile(FROM, changes)


BAD = {
    "an unknown seed": ("band,spend_band.high,lower_bound,1,2026-03-01,", "no seed band: take"),
    "a seed without validity": ("rfm_map,111,headline_rank,2,2026-03-01,", "have no validity"),
    "an unknown rule": (
        "bands,spend_band.top,lower_bound,1,2026-03-01,",
        "there are spend_band.high, spend_band.mid, spend_band.low",
    ),
    "an unknown column": (
        "bands,spend_band.high,lower,1,2026-03-01,",
        "take one of lower_bound, upper_bound, points",
    ),
    "what a rule is about": ("bands,spend_band.high,code,low,2026-03-01,", "no column of bands"),
    "its validity": ("bands,spend_band.high,valid_to,2026-04-01,2026-03-01,", "no column of"),
    "a setting's own range": ("settings,look_back_days,maximum,9,2026-03-01,", "take one of value"),
    "a word for a number": ("bands,spend_band.high,lower_bound,much,2026-03-01,", "like 1250"),
    "not a number": ("bands,spend_band.high,lower_bound,NaN,2026-03-01,", "like 1250"),
    "an exponent": ("bands,spend_band.high,lower_bound,1E+05,2026-03-01,", "like 1250"),
    "full-width digits": ("bands,spend_band.high,lower_bound,１２,2026-03-01,", "like 1250"),
    "a share of a point": ("bands,spend_band.high,points,2.5,2026-03-01,", "a whole number"),
    "no points": ("bands,spend_band.high,points,,2026-03-01,", "points (blank) of spend_band.high"),
    "an unknown code": (
        "service_tiers,service_tier.mid_value,value_tier,huge,2026-03-01,",
        "take one of high, mid, low",
    ),
    "below the minimum": (
        "settings,look_back_days,value,29,2026-03-01,",
        "between 30 and 36500 days",
    ),
    "above the maximum": ("settings,decline_gap_multiple,value,100.1,2026-03-01,", "1 and 100"),
    "half a day": ("settings,look_back_days,value,365.5,2026-03-01,", "a whole number"),
    "a method that is none": ("settings,rfm_method,value,best,2026-03-01,", "quantile, threshold"),
    "a blank that means nothing": ("settings,history_months,value,,2026-03-01,", "not be blank"),
    "a setting of facts": ("settings,base_currency,value,EUR,2026-03-01,", "what a fact is"),
    "no day": ("bands,spend_band.high,lower_bound,1,,", "valid_from is blank"),
    "a day that is none": ("bands,spend_band.high,lower_bound,1,2026-02-30,", "YYYY-MM-DD"),
    "a day to be misread": ("bands,spend_band.high,lower_bound,1,01/03/2026,", "YYYY-MM-DD"),
    "a comma too many": ("bands,spend_band.high,lower_bound,12,000,2026-03-01,", "7 columns"),
}


@pytest.mark.parametrize(("line", "told"), BAD.values(), ids=BAD)
def test_a_line_that_cannot_be_is_refused_with_its_number(tmp_path: Path, line: str, told: str):
    path = file(tmp_path, "bands,spend_band.low,upper_bound,1,2026-03-01,", line)
    with pytest.raises(RulesError) as refused:
        read_rule_file(path, SEEDS)
    assert str(refused.value).startswith(f"{path}, line 3: ")
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_every_setting_of_facts_is_refused(tmp_path: Path):
    refused = Path("tests/singular/staging/assert_fact_settings_have_one_row_for_all_time.sql")
    text = (rules.PROJECT / refused).read_text()
    assert all(f"'{name}'" in text for name in rules.FACT_SETTINGS)
    assert text.count("union all") == len(rules.FACT_SETTINGS) - 1


def test_one_file_is_of_one_day_and_says_each_thing_once(tmp_path: Path):
    two_days = file(
        tmp_path,
        "bands,spend_band.high,lower_bound,1,2026-03-01,",
        "bands,spend_band.mid,upper_bound,1,2026-04-01,",
    )
    with pytest.raises(RulesError, match=r"line 3: valid_from is 2026-04-01, but .* in line 2"):
        read_rule_file(two_days, SEEDS)
    twice = file(tmp_path, *["bands,spend_band.high,lower_bound,1,2026-03-01,"] * 2)
    with pytest.raises(RulesError, match=r"line 3: .* is already in line 2"):
        read_rule_file(twice, SEEDS)


def test_what_is_no_rule_file_is_told_apart(tmp_path: Path):
    with pytest.raises(RulesError, match="No such file"):
        read_rule_file(tmp_path / "none.csv", SEEDS)
    with pytest.raises(RulesError, match="line 1: the columns are a, b; a rule file has seed"):
        read_rule_file(file(tmp_path, header="a,b\n"), SEEDS)
    with pytest.raises(RulesError, match="no line below its header"):
        read_rule_file(file(tmp_path), SEEDS)
    line = "bands,spend_band.high,lower_bound,1,2026-03-01,大客户"
    with pytest.raises(RulesError, match="not UTF-8: in Excel"):
        read_rule_file(file(tmp_path, line, encoding="gb18030"), SEEDS)
    with pytest.raises(RulesError, match="line 2: no CSV"):
        read_rule_file(file(tmp_path, 'bands,"spend"_band.high,x,1,2026-03-01,'), SEEDS)


def test_a_change_closes_the_old_row_the_day_before_and_adds_a_dated_one():
    rows = dated(BANDS, [spend("12000")], FROM)
    old, new = (row for row in rows if row["rule_id"] == "spend_band.high")
    was = BANDS.rows[0]
    assert old == {**was, "valid_to": "2026-02-28"}
    assert new == {**was, "lower_bound": "12000", "valid_from": "2026-03-01"}
    assert [row for row in rows if row not in (old, new)] == list(BANDS.rows[1:])


def test_to_change_twice_is_to_change_once_and_to_change_nothing_adds_nothing():
    once = dated(BANDS, [spend("12000")], FROM)
    changed = rules.Seed("bands", BANDS.header, tuple(once), BANDS.types)
    assert dated(changed, [spend("12000")], FROM) == once
    assert dated(changed, [spend("12000")], date(2027, 1, 1)) == once
    corrected = dated(changed, [spend("13000")], FROM)
    assert [row["lower_bound"] for row in corrected[:2]] == ["10000", "13000"]
    assert dated(BANDS, [spend("10000")], FROM) == list(BANDS.rows)


def test_a_change_may_not_come_before_an_earlier_one_or_after_the_end():
    once = dated(BANDS, [spend("12000")], FROM)
    changed = rules.Seed("bands", BANDS.header, tuple(once), BANDS.types)
    with pytest.raises(RulesError, match="has changed on 2026-03-01"):
        dated(changed, [spend("13000")], date(2026, 2, 28))
    ended = tuple({**row, "valid_to": "2026-03-31"} for row in BANDS.rows)
    with pytest.raises(RulesError, match="ended on 2026-03-31"):
        dated(rules.Seed("bands", BANDS.header, ended, BANDS.types), [spend("1")], FROM)


def test_a_what_if_takes_the_rules_of_a_day_for_all_time():
    once = dated(BANDS, [spend("12000")], FROM)
    changed = rules.Seed("bands", BANDS.header, tuple(once), BANDS.types)
    before = timeless(changed, [], date(2026, 2, 28))
    assert before == list(BANDS.rows)
    after = timeless(changed, [spend("7", "points")], FROM)
    assert after == [
        {**BANDS.rows[0], "lower_bound": "12000", "points": "7"},
        *BANDS.rows[1:],
    ]
    late = tuple({**row, "valid_from": "2026-04-01"} for row in BANDS.rows)
    with pytest.raises(RulesError, match=r"spend_band\.high does not hold on 2026-03-01"):
        timeless(rules.Seed("bands", BANDS.header, late, BANDS.types), [spend("1")], FROM)


@given(
    cuts=st.lists(
        st.tuples(st.integers(4000, 20000), st.dates(date(2000, 1, 1), date(2030, 1, 1))),
        min_size=1,
        max_size=4,
        unique_by=lambda each: each[1],
    )
)
def test_on_every_day_the_newest_change_holds(cuts: list[tuple[int, date]]):
    seed = BANDS
    cuts = sorted(cuts, key=lambda each: each[1])
    for cut, day in cuts:
        rows = dated(seed, [spend(str(cut)), spend(str(cut), "upper_bound", "mid")], day)
        seed = rules.Seed("bands", seed.header, tuple(rows), seed.types)
    for asked in {date(1999, 12, 31), date(2031, 1, 1), *(day for _, day in cuts)}:
        expected = [str(cut) for cut, day in cuts if day <= asked][-1:] or ["10000"]
        holding = {row["rule_id"]: row for row in rows_on(seed, asked)}
        assert len(holding) == len(rows_on(seed, asked)) == len(BANDS.rows)
        assert [holding["spend_band.high"]["lower_bound"]] == expected
        assert [holding["spend_band.mid"]["upper_bound"]] == expected


@pytest.mark.parametrize("name", [name for name, seed in SEEDS.items() if seed.is_dated])
def test_the_lines_of_other_rows_stay_as_they_are(name: str):
    seed = SEEDS[name]
    text = (rules.SEEDS / f"{name}.csv").read_text(encoding="utf-8")
    assert rules.seed_text(text, seed.header, seed.rows) == text
    first = {**seed.rows[0], "valid_to": "2026-02-28"}
    changed = rules.seed_text(text, seed.header, [first, *seed.rows[1:]])
    differing = [pair for pair in zip(text.splitlines(), changed.splitlines(), strict=True)]
    assert [old != new for old, new in differing].count(True) == 1
    assert changed.splitlines()[1] == text.splitlines()[1].removesuffix(",") + ",2026-02-28"


def test_every_dated_row_has_a_name_of_its_own_on_each_day():
    for seed in SEEDS.values():
        if seed.is_dated:
            names = [(seed.rule_id(row), row["valid_from"]) for row in seed.rows]
            assert len(set(names)) == len(names), seed.name
