"""Rules adopted from a day on: the month-ends before are judged by the old, those after by the new.

On a copy of the project. The shop: customer c1 to c40 ordered once on 2026-01-10, c1 for 100.00, c2
for 200.00 and so on; c1 once more for 1.00 on 2026-03-20, the newest as-of. From 2026-02-28 on, the
day of a month-end, spend is mid from 1,500 and high from 3,500 instead of 3,000 and 10,000.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.rules import Change, date, rule_file_text
from tests.shops import Warehouse, copy_project, deliver, line, order, segments

pytestmark = pytest.mark.slow

FROM = date(2026, 2, 28)
CUTS = (
    Change("bands", "spend_band.high", "lower_bound", "3500"),
    Change("bands", "spend_band.mid", "upper_bound", "3500"),
    Change("bands", "spend_band.mid", "lower_bound", "1500"),
    Change("bands", "spend_band.low", "upper_bound", "1500"),
)


@dataclass(frozen=True)
class Shop:
    """The copy of the project, the home, the seeds before, and what the first run said."""

    project: Path
    warehouse: Warehouse
    bands_before: str
    adopted: str
    warned: str

    @property
    def bands(self) -> Path:
        return self.project / "seeds" / "bands.csv"


def rule_file(folder: Path, name: str, *changes: Change, valid_from: date = FROM) -> str:
    path = folder / name
    path.write_text(rule_file_text(valid_from, changes), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    project = copy_project(tmp_path_factory.mktemp("project"))
    root = tmp_path_factory.mktemp("home")
    orders = [order(f"o{number}", f"c{number}", "2026-01-10") for number in range(1, 41)]
    lines = [line(f"o{number}", f"{100 * number}.00") for number in range(1, 41)]
    deliver(root / "landing", "orders", [*orders, order("o41", "c1", "2026-03-20")])
    deliver(root / "landing", "order_lines", [*lines, line("o41", "1.00")])
    before = (project / "seeds" / "bands.csv").read_text(encoding="utf-8")
    cuts = rule_file(root, "cuts.csv", *CUTS)
    adopted = segments(root, "adopt", cuts, project=project)
    assert adopted.returncode == 0, adopted.stderr
    done = segments(root, "run", project=project)
    assert done.returncode == 0, done.stderr
    warehouse = Warehouse(root, root / "landing")
    yield Shop(project, warehouse, before, adopted.stdout, done.stderr)


def test_adopting_closes_the_old_rows_and_leaves_every_other_line(shop: Shop):
    old, new = shop.bands_before.splitlines(), shop.bands.read_text("utf-8").splitlines()
    spend = ("spend_band.high,", "spend_band.mid,", "spend_band.low,")
    assert [text for text in new if not text.startswith(spend)] == [
        text for text in old if not text.startswith(spend)
    ]
    assert new[1:7] == [
        "spend_band.high,spend_band,high,net_revenue_12m,10000,,3,V1,1900-01-01,2026-02-27",
        "spend_band.high,spend_band,high,net_revenue_12m,3500,,3,V1,2026-02-28,",
        "spend_band.mid,spend_band,mid,net_revenue_12m,3000,10000,2,V1,1900-01-01,2026-02-27",
        "spend_band.mid,spend_band,mid,net_revenue_12m,1500,3500,2,V1,2026-02-28,",
        "spend_band.low,spend_band,low,net_revenue_12m,,3000,1,V1,1900-01-01,2026-02-27",
        "spend_band.low,spend_band,low,net_revenue_12m,,1500,1,V1,2026-02-28,",
    ]
    assert "bands spend_band.high lower_bound: 10000 -> 3500 from 2026-02-28 on" in shop.adopted
    assert shop.adopted.count(" -> ") == len(CUTS)
    assert shop.adopted.rstrip().endswith("Next: ./segments run")


def test_month_ends_before_are_judged_by_the_old_rules_and_those_after_by_the_new(shop: Shop):
    with shop.warehouse.connect() as connection:
        history = connection.execute(
            "select cast(as_of_date as varchar), customer_id, spend_band "
            "from customer_segments_history union all "
            "select cast(as_of_date as varchar), customer_id, spend_band from customer_segments"
        ).fetchall()
    judged = {(day, int(name.removeprefix("shop:c"))): band for day, name, band in history}

    def band(spent: int, mid: int, high: int) -> str:
        return "high" if spent >= high else "mid" if spent >= mid else "low"

    customers = range(1, 41)
    expected = {("2026-01-31", c): band(100 * c, 3000, 10000) for c in customers}
    for day in ("2026-02-28", "2026-03-20"):
        expected |= {(day, c): band(100 * c, 1500, 3500) for c in customers}
    assert judged == expected


def test_a_new_set_of_rules_is_warned_about_once(shop: Shop):
    """Nobody ordered twice but c1, and half of them at or above the median order value."""
    warned = re.findall(r"(\w+ \w+) holds ([\d.]+)% of the 40 buyers", shop.warned)
    assert dict(warned) == {
        "frequency_band high": "0.0",
        "frequency_band mid": "0.0",
        "frequency_band low": "100.0",
        # Two bands: 3 + 1 points of the six who spent 3,500 are mid, no one's are 6.
        "value_tier high": "0.0",
        "value_tier low": "85.0",
        "order_value_group D": "0.0",
        "order_value_group E": "0.0",
    }
    assert shop.warned.count("./segments calibrate") == len(warned)
    again = segments(shop.warehouse.root, "publish", project=shop.project)
    assert again.returncode == 0, again.stderr
    assert "Published version 2" in again.stdout
    assert "./segments calibrate" not in again.stderr


def test_what_cannot_hold_is_refused_before_anything_is_written(shop: Shop, tmp_path: Path):
    before = shop.bands.read_text("utf-8")
    late = date(2026, 4, 1)
    adopted = rule_file(tmp_path, "adopted.csv", *CUTS)
    overlap = Change("bands", "spend_band.low", "upper_bound", "2000")
    early = rule_file(tmp_path, "early.csv", overlap, valid_from=date(2026, 2, 1))
    overlapping = rule_file(tmp_path, "overlap.csv", overlap, valid_from=late)
    root = shop.warehouse.root

    same = segments(root, "adopt", adopted, project=shop.project)
    assert same.returncode == 0, same.stderr
    assert "All of it holds already: nothing was written." in same.stdout

    refused = segments(root, "adopt", early, project=shop.project)
    assert refused.returncode == 1
    assert "spend_band.low has changed on 2026-02-28" in refused.stderr

    refused = segments(root, "adopt", overlapping, project=shop.project)
    assert refused.returncode == 1
    assert "assert_bands_cover_every_value_once" in refused.stderr
    assert "change_date 2026-04-01" in refused.stderr
    assert "upper_bound_of_the_band_below 2000" in refused.stderr

    assert shop.bands.read_text("utf-8") == before
    assert not list(shop.bands.parent.glob(".*"))
    assert not list((root / "warehouse").glob("trial-*"))
    assert (root / "published" / "current").exists()
