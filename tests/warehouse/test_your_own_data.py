"""The guide from an export to segments works to the letter, and its figures are the export's."""

import csv
import os
import re
import shutil
import subprocess
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.home import PROJECT
from tests.shops import Warehouse, copy_project

GUIDE = (PROJECT / "docs" / "your-own-data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", GUIDE, flags=re.S)
COMMANDS = [block for language, block in BLOCKS if language == "sh"]
OUTPUTS = [block for language, block in BLOCKS if not language]


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip(" ─")]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Follow the guide in a copy of the project; return the copy and what each step printed."""
    project = copy_project(tmp_path_factory.mktemp("own") / "project")
    shutil.copytree(PROJECT / "docs", project / "docs")
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    environment.pop("SEGMENTS_HOME", None)
    printed = []
    for step, commands in enumerate(COMMANDS):
        # One shell a step, as for a reader who comes back to it; what was exported stays.
        script = commands if step == 0 else f"export SEGMENTS_HOME=mine\n{commands}"
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        printed.append(done.stdout + done.stderr)
    return project, printed


def test_each_step_prints_what_the_guide_shows(followed: tuple[Path, list[str]]):
    shown = [words(output) for output in OUTPUTS]
    printed = [words(text) for text in followed[1]]
    assert len(shown) == 3
    for lines, step in zip(shown, (0, 2, 3), strict=True):
        assert [line for line in lines if line not in printed[step]] == []


def test_the_ledger_holds_what_was_sold_less_tax_to_a_cent(followed: tuple[Path, list[str]]):
    """Added up from the export by hand, each line rounded to the cent once."""
    project, printed = followed
    gross = net = Decimal(0)
    buyers = defaultdict(set)
    with (project / "mine" / "export.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["订单状态"] != "交易成功":
                continue
            price, discount, refund = (
                Decimal(row[column].strip("¥").replace(",", "") or 0)
                for column in ("单价(含税)", "优惠", "退款金额")
            )
            sold = int(row["数量"]) * price - discount
            gross += sold - refund
            net += sum(
                (amount / Decimal("1.13")).quantize(Decimal("0.01"), "ROUND_HALF_UP")
                for amount in (sold, -refund)
            )
            buyers[row["买家账号"]].add(row["订单编号"])
    assert gross == Decimal("622522.00")
    assert (gross / Decimal("1.13")).quantize(Decimal("0.01")) == Decimal("550904.42")
    assert net == Decimal("550904.43")
    assert str(net) in printed[4]
    for figure in ("622,522.00", "550,904.42", "550,904.43"):
        assert figure in GUIDE

    with Warehouse(project / "mine", project / "mine" / "landing").connect() as connection:
        total, guests, customers = connection.execute("""
            select sum(net_amount), count(distinct order_id) filter (where customer_id is null),
                count(distinct customer_id)
            from sales_ledger
        """).fetchone()
    assert total == net
    assert guests == len(buyers.pop(""))
    assert customers == len(buyers)


def test_days_are_those_of_the_shop(followed: tuple[Path, list[str]]):
    """An order between midnight and eight in Shanghai is of the day before in UTC."""
    project, _ = followed
    early = {}
    with (project / "mine" / "export.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            day, hour = row["下单时间"].split(" ")
            if row["订单状态"] == "交易成功" and int(hour.split(":")[0]) < 8:
                year, month, number = map(int, day.split("/"))
                early[f"shop:{row['订单编号']}"] = f"{year}-{month:02}-{number:02}"
    with Warehouse(project / "mine", project / "mine" / "landing").connect() as connection:
        found = {
            order: str(day)
            for order, day in connection.execute(
                "select order_id, order_date from orders"
            ).fetchall()
        }
    assert len(early) > 50
    assert {order: found[order] for order in early} == early
