"""Warehouses run once a session, from the delivered file to the published one."""

import shutil

import pytest

from tests.shops import SHARED_DATA, Warehouse, run, segments
from tests.warehouse.complete_journey import deliver_complete_journey
from tests.warehouse.rough_shop import RoughShop


@pytest.fixture(scope="session")
def online_retail(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return the warehouse of the real Online Retail II file."""
    file = SHARED_DATA / "online_retail_ii" / "online_retail_II.csv.gz"
    if not file.exists():
        pytest.skip(f"the real Online Retail II file is not at {file}")
    root = tmp_path_factory.mktemp("online_retail")
    folder = root / "landing" / "online_retail" / "invoice_lines"
    folder.mkdir(parents=True)
    shutil.copyfile(file, folder / file.name)
    return run(root)


@pytest.fixture(scope="session")
def complete_journey(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return the warehouse of the real Complete Journey, delivered as a shop's feeds."""
    folder = SHARED_DATA / "complete_journey"
    if not folder.exists():
        pytest.skip(f"the real Complete Journey data are not at {folder}")
    root = tmp_path_factory.mktemp("complete_journey")
    deliver_complete_journey(folder, root / "landing")
    return run(root)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, str]:
    """Return what `make demo` does: the sample shop as it comes, and what the run printed."""
    root = tmp_path_factory.mktemp("sample_shop")
    made = segments(root, "generate")
    assert made.returncode == 0, made.stderr
    done = segments(root, "run")
    assert done.returncode == 0, done.stderr
    return Warehouse(root, root / "landing"), done.stdout


@pytest.fixture(scope="session")
def sample_shop(demo: tuple[Warehouse, str]) -> Warehouse:
    """Return the warehouse of the sample shop, which delivers every feed."""
    return demo[0]


@pytest.fixture(scope="session")
def rough_shop(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return the warehouse of a shop that is drawn at random."""
    root = tmp_path_factory.mktemp("rough_shop")
    RoughShop(seed=4).fill(orders=900).write(root / "landing")
    return run(root)
