"""Who would move under changed rules, held against a computation by hand on the published file.

The shop is the sample shop. `what-if` and `calibrate` may change nothing: neither the build file
nor the published versions nor the seeds.
"""

import csv
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration import rules
from orchestration.band_shares import odd_bands
from orchestration.calibrate import TARGETS, calibrate, choose_cuts
from orchestration.home import home
from orchestration.rules import Change
from orchestration.what_if import WhatIfNotPossible, what_if
from tests.shops import Warehouse, segments

pytestmark = pytest.mark.slow

HIGH_CUT, MID_CUT = Decimal(14000), Decimal("4100.50")
SPEND = (
    Change("bands", "spend_band.high", "lower_bound", "14000"),
    Change("bands", "spend_band.mid", "upper_bound", "14000"),
    Change("bands", "spend_band.mid", "lower_bound", "4100.50"),
    Change("bands", "spend_band.low", "upper_bound", "4100.50"),
)
QUADRANT_CUT = Decimal(900)
PLANTED = (*SPEND, Change("settings", "quadrant_value_cut", "value", "900"))
LOW_MID_HIGH = ("low", "mid", "high")
JUDGED_BY_HAND = {"spend_band", "value_tier", "value_potential_quadrant"}
Moves = dict[tuple[str, str, str], tuple[int, Decimal]]


def rule_file(folder: Path, name: str, changes: Iterable[Change], day: str = "2030-01-01") -> Path:
    path = folder / f"{name}.csv"
    text = rules.rule_file_text(rules.date.fromisoformat(day), changes)
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def unchanged(warehouse: Warehouse) -> Iterator[None]:
    """Insist that nothing that readers, later runs or other people rely on changes."""

    def sums() -> dict[Path, bytes]:
        files = [*rules.SEEDS.iterdir(), warehouse.root / "warehouse" / "build.duckdb"]
        files += (warehouse.root / "published").rglob("*")
        return {path: path.read_bytes() for path in files if path.is_file()}

    before = sums()
    yield
    assert sums() == before
    assert not list((warehouse.root / "warehouse").glob("trial-*"))


def moves_told(warehouse: Warehouse, name: str) -> Moves:
    path = warehouse.root / "exports" / f"what-if-{name}.csv"
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return {
            (row["dimension"], row["from_segment"], row["to_segment"]): (
                int(row["customers"]),
                Decimal(row["net_revenue_12m"]),
            )
            for row in csv.DictReader(stream)
        }


def tier(points: int, is_margin_known: bool) -> str:
    mid, high = (5, 8) if is_margin_known else (4, 6)
    return LOW_MID_HIGH[(points >= mid) + (points >= high)]


def moves_by_hand(warehouse: Warehouse) -> Moves:
    """Return the moves between bands, tiers and quadrants under the cuts of `PLANTED`."""
    with warehouse.connect() as connection:
        customers = connection.execute(
            "select net_revenue_12m, spend_band, frequency_band, margin_band, value_tier, "
            "potential_band, value_potential_quadrant "
            "from customer_segments where spend_band is not null"
        ).fetchall()
    found: dict[tuple[str, str, str], list] = defaultdict(lambda: [0, Decimal(0)])
    for revenue, spend, frequency, margin, value, potential, quadrant in customers:
        new_spend = LOW_MID_HIGH[(revenue >= MID_CUT) + (revenue >= HIGH_CUT)]
        bands = [new_spend, frequency, *([] if margin == "unknown" else [margin])]
        points = sum(LOW_MID_HIGH.index(band) + 1 for band in bands)
        new_value = tier(points, margin != "unknown")
        names = ("star", "cash") if revenue >= QUADRANT_CUT else ("potential", "low")
        pairs = (
            ("spend_band", spend, new_spend),
            ("value_tier", value, new_value),
            ("value_potential_quadrant", quadrant, names[potential == "low"]),
        )
        for dimension, old, new in pairs:
            if old != new:
                found[dimension, old, new][0] += 1
                found[dimension, old, new][1] += revenue
    return {key: (customers, revenue) for key, (customers, revenue) in found.items()}


def test_a_change_moves_whom_it_moves_by_hand_with_their_money(
    own_sample_shop: Warehouse, tmp_path: Path
):
    path = rule_file(tmp_path, "dearer", PLANTED)
    with unchanged(own_sample_shop):
        done = segments(own_sample_shop.root, "what-if", str(path))
    assert done.returncode == 0, done.stderr
    told = moves_told(own_sample_shop, "dearer")
    by_hand = moves_by_hand(own_sample_shop)
    assert {key[0] for key in by_hand} == JUDGED_BY_HAND
    # It is to hold from 2030 on, and is tried on the newest as-of all the same, and says so.
    assert "2030-01-01" in done.stdout
    assert {key: told[key] for key in told if key[0] in JUDGED_BY_HAND} == by_hand
    # What follows from value and spend moves too, nothing else.
    assert {key[0] for key in told} <= {
        *(*JUDGED_BY_HAND, "service_tier", "to_activate"),
        *("model_segment", "final_segment"),
    }
    count, revenue = by_hand["spend_band", "mid", "low"]
    row = next(row for row in done.stdout.splitlines() if "Mid spend" in row and "低消费" in row)
    assert f"{count:,}" in row
    assert f"{revenue:,.2f}" in row


def test_the_rules_in_force_against_themselves_move_nobody(
    own_sample_shop: Warehouse, tmp_path: Path
):
    """All of it is computed anew, models of CLV and clusters too: a setting is among them."""
    in_force = (
        Change("bands", "spend_band.high", "lower_bound", "10000"),
        Change("settings", "potential_cut", "value", ""),
        Change("lifecycle_stages", "lifecycle_stage.new", "recency_days_below", "90"),
        Change("bands", "need_type.product", "lower_bound", "0.7"),
    )
    path = rule_file(tmp_path, "same", in_force)
    with unchanged(own_sample_shop):
        done = segments(own_sample_shop.root, "what-if", str(path))
    assert done.returncode == 0, done.stderr
    assert "Nobody moves: all " in done.stdout
    assert "Not compared: need_type, which customer_segments has not." in done.stdout
    assert moves_told(own_sample_shop, "same") == {}


def test_a_set_that_leaves_a_gap_is_refused_with_its_rows(
    own_sample_shop: Warehouse, tmp_path: Path
):
    path = rule_file(tmp_path, "gap", SPEND[:1])
    with unchanged(own_sample_shop):
        done = segments(own_sample_shop.root, "what-if", str(path))
    assert done.returncode == 1
    assert "assert_bands_cover_every_value_once" in done.stderr
    assert "rule_id spend_band.high, lower_bound 14000" in done.stderr
    assert "Error: the tests of the rules refuse this set" in done.stderr
    assert not (own_sample_shop.root / "exports" / "what-if-gap.csv").exists()


def test_after_an_edit_of_the_rules_a_run_comes_first(
    own_sample_shop: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = rule_file(tmp_path, "edited", SPEND)
    monkeypatch.setattr("orchestration.dbt.rule_version", lambda: "another")
    with pytest.raises(WhatIfNotPossible, match="edited since the last run"):
        what_if(home(own_sample_shop.root), path)


@pytest.mark.parametrize("command", ["what-if", "calibrate"])
def test_before_the_first_run_there_is_nothing_to_compare(tmp_path: Path, command: str):
    file = [str(rule_file(tmp_path, "early", SPEND))] if command == "what-if" else []
    done = segments(tmp_path / "home", command, *file)
    assert done.returncode == 1
    assert "run ./segments run first" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def buyers(warehouse: Warehouse, measure: str) -> list[tuple[Fraction, Fraction]]:
    with warehouse.connect() as connection:
        rows = connection.execute(
            f"select {measure}, net_revenue_12m from customer_segments "
            "inner join customer_engagement using (customer_id) "
            f"where orders_12m > 0 and {measure} is not null"
        ).fetchall()
    return [(Fraction(str(value)), Fraction(revenue)) for value, revenue in rows]


def share_below(customers: list[tuple[Fraction, Fraction]], cut: Fraction) -> Fraction:
    return Fraction(sum(value < cut for value, _ in customers), len(customers))


def nearest(customers: list[tuple[Fraction, Fraction]], cuts: Iterable[Fraction], share: Fraction):
    return min(cuts, key=lambda cut: (abs(share_below(customers, cut) - share), cut))


def test_proposed_cuts_are_those_of_a_computation_by_hand(
    own_sample_shop: Warehouse, tmp_path: Path
):
    path = tmp_path / "proposed.csv"
    with unchanged(own_sample_shop):
        done = segments(own_sample_shop.root, "calibrate", "--out", str(path))
    assert done.returncode == 0, done.stderr
    read = rules.read_rule_file(path, rules.read_seeds())
    assert read.valid_from.isoformat() == "2026-06-01"
    proposed = {(change.rule_id, change.column): Fraction(change.value) for change in read.changes}

    # Spend: top customers with half of the revenue are high, those with 80% are not low.
    spend = buyers(own_sample_shop, "net_revenue_12m")
    total = sum(max(revenue, Fraction(0)) for _, revenue in spend)

    def revenue_from(cut: Fraction) -> Fraction:
        return (
            sum((max(revenue, Fraction(0)) for value, revenue in spend if value >= cut), 0) / total
        )

    amounts = [Fraction(digits * 10**power) for power in range(1, 5) for digits in range(10, 100)]
    high = min(amounts, key=lambda cut: (abs(revenue_from(cut) - Fraction(1, 2)), cut))
    mid = min(amounts, key=lambda cut: (abs(revenue_from(cut) - Fraction(4, 5)), cut))
    assert proposed["spend_band.high", "lower_bound"] == high
    assert proposed["spend_band.mid", "upper_bound"] == high
    assert proposed["spend_band.mid", "lower_bound"] == mid
    assert proposed["spend_band.low", "upper_bound"] == mid

    # Orders: whole, the best fifth is high, the lower half low.
    orders = buyers(own_sample_shop, "orders_12m")
    wholes = [Fraction(number) for number in range(2, 100)]
    assert proposed["frequency_band.high", "lower_bound"] == nearest(orders, wholes, Fraction(4, 5))
    half = nearest(orders, wholes, Fraction(1, 2))
    assert proposed["frequency_band.mid", "lower_bound"] == half
    assert proposed["order_frequency.high", "lower_bound"] == half

    # Margins: thirds, in whole percents; values and order values: the round figure at the middle.
    margins = buyers(own_sample_shop, "margin_rate_12m")
    percents = [Fraction(number, 100) for number in range(-100, 100)]
    assert proposed["margin_band.high", "lower_bound"] == nearest(margins, percents, Fraction(2, 3))
    assert proposed["quadrant_value_cut", "value"] == nearest(spend, amounts, Fraction(1, 2))

    # What is proposed holds between 1% and 80% of the buyers.
    for low, top in ((spend, high), (orders, proposed["frequency_band.high", "lower_bound"])):
        assert Fraction(1, 100) <= 1 - share_below(low, top) <= Fraction(4, 5)

    again = segments(own_sample_shop.root, "calibrate", "--out", str(path))
    assert again.returncode == 1
    assert "is not overwritten" in again.stderr


@given(
    st.sampled_from(TARGETS),
    st.lists(
        st.tuples(
            st.decimals(-500, 50000, places=2, allow_nan=False),
            st.decimals(-500, 50000, places=2, allow_nan=False),
        ),
        min_size=1,
        max_size=60,
    ),
    st.randoms(),
)
def test_cuts_part_the_buyers_whatever_they_are(target, customers, random):
    cuts = choose_cuts(target, customers)
    assert len(cuts) in (0, len(target.shares))
    bounds = [Decimal("-Infinity"), *cuts, Decimal("Infinity")]
    for lower, upper in itertools.pairwise(bounds):
        assert any(lower <= value < upper for value, _ in customers)
    random.shuffle(customers)
    assert choose_cuts(target, customers) == cuts


def test_bands_that_there_is_no_target_for_are_left_as_they_are(
    own_sample_shop: Warehouse, monkeypatch: pytest.MonkeyPatch
):
    seeds = rules.read_seeds()
    bands = seeds["bands"]
    top = {**bands.rows[0], "rule_id": "spend_band.top", "code": "top", "lower_bound": "50000"}
    others = rules.Seed("bands", bands.header, (*bands.rows, top), bands.types)
    monkeypatch.setattr("orchestration.rules.read_seeds", lambda: {**seeds, "bands": others})
    found = calibrate(home(own_sample_shop.root))
    assert found.left == ("spend_band",)
    assert {change.rule_id.split(".")[0] for change in found.changes} >= {"frequency_band"}
    assert not [change for change in found.changes if change.rule_id.startswith("spend_band")]


def test_bands_out_of_proportion_are_those_that_a_query_finds(
    own_sample_shop: Warehouse, monkeypatch: pytest.MonkeyPatch
):
    """The sample shop fits the documents' thresholds; with narrower bounds some bands do not."""
    place = home(own_sample_shop.root)
    assert odd_bands(place) == []
    monkeypatch.setattr("orchestration.band_shares.SMALLEST_SHARE", 0.1)
    monkeypatch.setattr("orchestration.band_shares.LARGEST_SHARE", 0.6)
    with own_sample_shop.connect() as connection:
        rows = connection.execute(
            "select spend_band, frequency_band, nullif(margin_band, 'unknown'), value_tier, "
            "order_value_group from customer_segments where orders_12m > 0"
        ).fetchall()
    expected = set()
    names = ("spend_band", "frequency_band", "margin_band", "value_tier", "order_value_group")
    for dimension, codes in zip(names, zip(*rows, strict=True), strict=True):
        known = [code for code in codes if code is not None]
        for code in "BCDE" if dimension == "order_value_group" else LOW_MID_HIGH:
            share = known.count(code) / len(known)
            if not 0.1 <= share <= 0.6:
                expected.add((dimension, code, f"{share:.6f}", len(known)))
    found = odd_bands(place)
    told = {(band.dimension, band.code, f"{band.share:.6f}", band.buyers) for band in found}
    assert told == expected
    assert {code for _, code, _, _ in told} >= {"high", "mid", "low"}
