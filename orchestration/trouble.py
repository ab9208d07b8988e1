"""What the machine refuses - space, memory, permission, a held file - told in one sentence.

By the words of the error: DuckDB, SQLite, dbt and Python each have classes of their own for a full
disk, and what comes through Dagster or dbt is text.
"""

import os
import re
import shutil
from pathlib import Path

# A limit on the size of files is told like a full disk: both end when somebody gives room.
FULL = re.compile(
    r"no space left on device|file too large|disk quota exceeded|database or disk is full"
    r"|disk i/o error|failed to offload data block",
    re.IGNORECASE,
)
MEMORY = re.compile(r"out of memory error|memoryerror|cannot allocate memory|bad_alloc", re.I)
REFUSED = re.compile(
    r"permission denied|operation not permitted|read-only file system|readonly database"
    r"|unable to open database file",
    re.IGNORECASE,
)
HELD = re.compile(r"could not set lock on file \"?([^\"\n]+)\"?.*", re.IGNORECASE)
LONGEST_DETAIL = 240


def sentence(error: BaseException | str, root: Path) -> str | None:
    """Return what the machine refused, where, and what to do; None if it is no such error.

    Args:
        error: the error with those that it comes from, or their text.
        root: the home that was worked on.
    """
    text = error if isinstance(error, str) else "\n".join(map(_text, _chain(error)))
    if detail := _line(FULL, text):
        return (
            f"The disk is full, or a file may not grow, under {root} ({detail}). "
            f"{_free(root)}Nothing that was published or ingested before is lost: make room, then "
            f"run this again."
        )
    if detail := _line(MEMORY, text):
        limit = os.environ.get("SEGMENTS_MEMORY_LIMIT")
        return (
            f"The memory did not suffice ({detail}). "
            f"{f'SEGMENTS_MEMORY_LIMIT is {limit}: set' if limit else 'Set SEGMENTS_MEMORY_LIMIT'} "
            f"it higher, or give the machine more, then run this again."
        )
    if detail := _line(REFUSED, text):
        return (
            f"This user (id {os.getuid()}) may not read or write all that it needs ({detail}). "
            f"Give it the right to, or set SEGMENTS_HOME to a folder that it may write."
        )
    if held := HELD.search(text):
        holder = re.search(r"PID (\d+)", held[0])
        return (
            f"{held[1]} is held by {f'process {holder[1]}' if holder else 'another process'}. "
            f"Wait for it to end, or stop it, then run this again."
        )
    return None


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _text(error: BaseException) -> str:
    # A MemoryError has no message.
    return str(error) or type(error).__name__


def _line(pattern: re.Pattern[str], text: str) -> str | None:
    """Return the line that matches, short enough to be read."""
    for line in text.splitlines():
        if pattern.search(line):
            line = line.strip().rstrip(".")
            return line if len(line) <= LONGEST_DETAIL else f"{line[:LONGEST_DETAIL]} ..."
    return None


def _free(root: Path) -> str:
    try:
        return f"{shutil.disk_usage(root).free / 1e6:,.1f} MB are free there. "
    except OSError:
        return ""
