"""Warehouses run once for all workers, from the delivered file to the published one."""

import shutil
from pathlib import Path

import pytest

from tests.shops import SHARED_DATA, Warehouse, once, quick_run, run, segments
from tests.warehouse.complete_journey import deliver_complete_journey
from tests.warehouse.rough_shop import RoughShop


@pytest.fixture(scope="session")
def online_retail(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return the warehouse of the real Online Retail II file."""
    file = SHARED_DATA / "online_retail_ii" / "online_retail_II.csv.gz"
    if not file.exists():
        pytest.skip(f"the real Online Retail II file is not at {file}")

    def make(root: Path) -> None:
        folder = root / "landing" / "online_retail" / "invoice_lines"
        folder.mkdir(parents=True)
        shutil.copyfile(file, folder / file.name)
        run(root)

    root = once(tmp_path_factory, "online_retail", make)
    return Warehouse(root, root / "landing")


@pytest.fixture(scope="session")
def complete_journey(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return the warehouse of the real Complete Journey, delivered as a shop's feeds."""
    folder = SHARED_DATA / "complete_journey"
    if not folder.exists():
        pytest.skip(f"the real Complete Journey data are not at {folder}")

    def make(root: Path) -> None:
        deliver_complete_journey(folder, root / "landing")
        run(root)

    root = once(tmp_path_factory, "complete_journey", make)
    return Warehouse(root, root / "landing")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, str]:
    """Return what `make demo` does: the sample shop as it comes, and what the run printed."""

    def make(root: Path) -> str:
        made = segments(root, "generate")
        assert made.returncode == 0, made.stderr
        done = segments(root, "run")
        assert done.returncode == 0, done.stderr
        return done.stdout

    root = once(tmp_path_factory, "sample_shop", make)
    printed = (root / "printed.txt").read_text(encoding="utf-8")
    return Warehouse(root, root / "landing"), printed


@pytest.fixture(scope="session")
def sample_shop(demo: tuple[Warehouse, str]) -> Warehouse:
    """Return the warehouse of the sample shop, which delivers every feed."""
    return demo[0]


@pytest.fixture(scope="module")
def own_sample_shop(sample_shop: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return a copy of the sample shop's home, for tests that write to it or lock it."""
    root = tmp_path_factory.mktemp("own_sample_shop") / "home"
    shutil.copytree(sample_shop.root, root, symlinks=True)
    return Warehouse(root, root / "landing")


@pytest.fixture(scope="session")
def rough_shop(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return the warehouse of a shop that is drawn at random."""

    def make(root: Path) -> None:
        RoughShop(seed=4).fill(orders=900).write(root / "landing")
        quick_run(root, tested=True)

    root = once(tmp_path_factory, "rough_shop", make)
    return Warehouse(root, root / "landing")
