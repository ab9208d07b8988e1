"""Warehouses run once a session, from the delivered file to the published one."""

import shutil

import pytest

from tests.shops import SHARED_DATA, Warehouse, run, segments


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
def sample_shop(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return the warehouse of a sample shop with every feed."""
    root = tmp_path_factory.mktemp("sample_shop")
    made = segments(root, "generate", "--customers", "1500", "--seed", "7")
    assert made.returncode == 0, made.stderr
    return run(root)
