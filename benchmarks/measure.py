"""What a command costs: CPU of its whole process tree, wall time, peak memory."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05
PAGE = os.sysconf("SC_PAGE_SIZE")


class CommandFailed(Exception):
    """A measured command ended with an error; the message is the end of what it printed."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds (user and system), wall seconds, megabytes held by all processes at the peak."""

    cpu_seconds: float
    wall_seconds: float
    peak_mb: float

    def __add__(self, other: "Cost") -> "Cost":
        """Return the cost of both, one after the other."""
        return Cost(
            self.cpu_seconds + other.cpu_seconds,
            self.wall_seconds + other.wall_seconds,
            max(self.peak_mb, other.peak_mb),
        )

    def __sub__(self, start: "Cost") -> "Cost":
        """Return what is left without a start that is part of it; the peak stays."""
        return Cost(
            max(self.cpu_seconds - start.cpu_seconds, 0.0),
            max(self.wall_seconds - start.wall_seconds, 0.0),
            self.peak_mb,
        )


def run(command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end and return what it cost.

    The kernel accounts the CPU of every process that was waited for. It knows the peak of one
    process only, so the sum over the tree is polled; a peak shorter than that is still in the
    kernel's figure.

    Args:
        command: program and arguments.
        environment: variables beside those of this process.
        log: file that gets what the command prints.

    Raises:
        CommandFailed: it ended with an error.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    peaks = [0]
    with log.open("wb") as stream:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        watcher = threading.Thread(target=_watch, args=(process.pid, ended, peaks), daemon=True)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watcher.join()
    if process.returncode != 0:
        shown = " ".join(str(word) for word in command)
        said = log.read_text(errors="replace")[-3000:]
        raise CommandFailed(f"{shown} ended with {process.returncode}:\n{said}")
    peak = max(max(peaks), usage.ru_maxrss * 1024)
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak / 1e6)


def _watch(root: int, ended: threading.Event, peaks: list[int]) -> None:
    while not ended.wait(POLL_SECONDS):
        peaks.append(max(peaks.pop(), sum(map(_resident, _tree(root)))))


def _tree(root: int) -> list[int]:
    """Return a process and its descendants that live now."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                # The name stands in parentheses and may hold blanks; the parent is after its state.
                parent = int(Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            children.setdefault(parent, []).append(int(entry))
    found, left = [], [root]
    while left:
        one = left.pop()
        found.append(one)
        left += children.get(one, [])
    return found


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0
