"""The guide to adding a source works to the letter."""

import re
from pathlib import Path

from orchestration.home import PROJECT
from tests.shops import copy_project, run

GUIDE = (PROJECT / "docs" / "adding-a-source.md").read_text(encoding="utf-8")
RECEIPTS = (
    "小票号;行号;时间;会员卡;货号;数量;单价\n"
    "R1;1;2026-03-05 23:30:00;张三;苹果;2;10.00\n"
    "R1;2;2026-03-05 23:30:00;张三;梨;1;5.50\n"
    "R2;1;2026-03-06 09:00:00;-;苹果;1;10.00\n"
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.S)


def follow_the_guide(project: Path) -> None:
    folder = project / "models" / "staging" / "tills"
    folder.mkdir()
    contract, entry = blocks("yaml")
    (folder / "_tills__sources.yml").write_text(contract, encoding="utf-8")
    names = re.findall(r"^`models/staging/tills/(\w+\.sql)`$", GUIDE, flags=re.M)
    assert len(names) == len(blocks("sql")) == 3
    for name, sql in zip(names, blocks("sql"), strict=True):
        (folder / name).write_text(sql, encoding="utf-8")
    settings = project / "dbt_project.yml"
    text = settings.read_text(encoding="utf-8")
    assert text.count("  sources:\n") == 1
    settings.write_text(text.replace("  sources:\n", "  sources:\n" + entry), encoding="utf-8")


def test_the_worked_example_publishes_its_receipts(tmp_path: Path):
    (tmp_path / "project").mkdir()
    project = copy_project(tmp_path / "project")
    follow_the_guide(project)
    home = tmp_path / "home"
    folder = home / "landing" / "tills" / "receipts"
    folder.mkdir(parents=True)
    (folder / "day.csv").write_bytes(RECEIPTS.encode("gb18030"))
    with run(home, project=project).connect() as connection:
        orders = connection.execute(
            "select order_id, customer_id, cast(order_date as varchar), "
            "cast(net_amount as varchar) from orders order by order_id"
        ).fetchall()
        deliveries = connection.execute(
            "select source, feed, records_counted, rows_landed, status from deliveries"
        ).fetchall()
    # 23:30 in Shanghai is 15:30 UTC, the same day; `-` is declared to mean nothing: a guest.
    assert orders == [
        ("tills:R1", "tills:张三", "2026-03-05", "25.50"),
        ("tills:R2", None, "2026-03-06", "10.00"),
    ]
    assert deliveries == [("tills", "receipts", 3, 3, "landed")]
