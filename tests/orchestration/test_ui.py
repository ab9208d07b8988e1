"""The UI and its daemon: on this machine only, and gone together."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.home import PROJECT
from tests.orchestration.daemons import children_of
from tests.shops import segments

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

LISTENING = "0A"
STARTS_WITHIN = 240.0


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[subprocess.Popen, int, Path]]:
    """Serve the UI of an empty home and yield its process and port."""
    root = tmp_path_factory.mktemp("ui")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = root / "ui.log"
    kept = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
    with log.open("w") as stream:
        process = subprocess.Popen(
            [str(PROJECT / "segments"), "ui", "--port", str(port), "--environment", "development"],
            env={**kept, "SEGMENTS_HOME": str(root)},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, port, log
    finally:
        left = [process.pid, *children_of(process.pid)]
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def wait_until_served(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-4000:]
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as answer,
        ):
            assert answer.status == 200
            return
        time.sleep(0.5)


def addresses(pids: list[int]) -> set[str]:
    """Return the addresses on which processes listen, in hexadecimal as /proc has them."""
    sockets = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    sockets.add(os.readlink(handle))
    found = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].split(":")[0])
    return found


def test_the_ui_serves_this_machine_only_and_ends_with_its_daemon(served):
    process, port, log = served
    wait_until_served(process, port, log)
    assert f"http://127.0.0.1:{port}" in log.read_text()
    started = children_of(process.pid)
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ") for pid in started]
    assert any(b"dagster._daemon" in command for command in commands), commands
    assert any(b"dagster_webserver" in command for command in commands), commands
    # 127.0.0.1, as the kernel writes it.
    assert addresses([process.pid, *started]) == {"0100007F"}

    process.send_signal(signal.SIGINT)
    process.wait(90)
    deadline = time.monotonic() + 60
    while any(map(is_alive, started)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [pid for pid in started if is_alive(pid)] == []


def is_alive(pid: int) -> bool:
    """Say whether a process still runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("command", ["ui", "daemon"])
@pytest.mark.parametrize("name", [None, "prod"])
def test_without_a_known_environment_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str | None
):
    monkeypatch.delenv("SEGMENTS_ENVIRONMENT", raising=False)
    done = segments(tmp_path, command, *(["--environment", name] if name else []))
    assert done.returncode == 1
    assert "development, staging, production" in done.stderr
    assert "Traceback" not in done.stderr
