"""Start the dashboard's server: on this machine only, calling nobody."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from dashboard import theme
from orchestration.home import PROJECT, Home

APP = Path(__file__).parent / "app.py"

# The server has no login, so it listens on loopback alone.
ADDRESS = "127.0.0.1"
OPTIONS = {
    "server.address": ADDRESS,
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "theme.base": "light",
    "theme.primaryColor": theme.ACCENT,
    "theme.backgroundColor": theme.PAPER,
    "theme.secondaryBackgroundColor": theme.SURFACE,
    "theme.textColor": theme.INK,
    "theme.font": theme.FONT,
}


STARTS_WITHIN_SECONDS = 60.0
# True in the browser once the script has run and every chart is drawn.
SETTLED = "!document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton]')"


class NotInstalled(Exception):
    """The environment lacks what the dashboard runs on; the message says what to do."""


def command(port: int) -> list[str]:
    """Return the command that serves the dashboard on a port of the loopback."""
    options = [f"--{name}={value}" for name, value in OPTIONS.items()]
    return [sys.executable, "-m", "streamlit", "run", str(APP), f"--server.port={port}", *options]


def serve(place: Home, port: int) -> int:
    """Serve the dashboard of a home until it is stopped; return the server's exit code.

    Raises:
        NotInstalled: streamlit is not there.
    """
    if find_spec("streamlit") is None:
        raise NotInstalled("The dashboard is not installed in this environment: make dashboard")
    return subprocess.run(
        command(port), cwd=PROJECT, env=environment(place), check=False
    ).returncode


def environment(place: Home) -> dict[str, str]:
    """Return the variables of the server's process."""
    return {**os.environ, "SEGMENTS_HOME": str(place.root), "PYTHONPATH": str(PROJECT)}


@contextlib.contextmanager
def served(place: Home, log: Path) -> Iterator[str]:
    """Serve the dashboard of a home beside what this process does; yield its address.

    Raises:
        RuntimeError: it did not start; the message has its log.
    """
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port = probe.getsockname()[1]
    with log.open("w") as stream:
        process = subprocess.Popen(
            command(port),
            cwd=PROJECT,
            env=environment(place),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    address = f"http://{ADDRESS}:{port}"
    try:
        end = time.monotonic() + STARTS_WITHIN_SECONDS
        while not _answers(f"{address}/_stcore/health"):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the dashboard did not start: {log.read_text()}")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except OSError:
        return False
