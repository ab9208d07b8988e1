"""A published sample shop, the dashboard's server on it, and Debian's browser."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from dashboard.serve import served
from orchestration.home import home
from tests.shops import Warehouse, quick_run, segments

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return a small published shop; nobody delivers its products, so categories are missing."""
    root = tmp_path_factory.mktemp("dashboard_shop")
    made = segments(root, "generate", "--customers", "400", "--months", "20")
    assert made.returncode == 0, made.stderr
    shutil.rmtree(root / "landing" / "shop" / "products")
    return quick_run(root, tested=True)


@pytest.fixture(scope="module")
def server(shop: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the dashboard of the shop and return its address."""
    with served(
        home(shop.root), tmp_path_factory.mktemp("dashboard_log") / "server.log"
    ) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: make browser")
        pytest.skip("no Chromium on this machine: make browser")
    with sync_playwright() as play:
        # As root, as CI is, Chromium starts only without its own sandbox.
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()
