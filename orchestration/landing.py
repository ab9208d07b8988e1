"""Which delivered files are finished and not published yet, for the sensor that watches them.

A file is finished when it has its final name and was the same at two looks. What was seen is kept
in a private file, since a cursor is written down with every look.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestration import delivery, versions
from orchestration.contracts import Source
from orchestration.copies import sha256_of
from orchestration.delivery import Delivered
from orchestration.home import Home


@dataclass
class Memory:
    """What earlier looks left, by path: a stamp of size, time and inode each.

    `seen` are the files of the last look; `sums` the checksum of a file with its stamp; `settled`
    those that a published version knows of, once and for all: after a rollback nothing that was
    published before shall run by itself.
    """

    seen: dict[str, str] = field(default_factory=dict)
    sums: dict[str, tuple[str, str]] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """Finished files that no published version knows, their common key, and those still changing.

    The key follows from names and contents alone: the same files give the same key.
    """

    new: list[str]
    key: str
    changing: list[str]


def look(place: Home, contracts: Mapping[str, Source]) -> Look:
    """Look at the landing folder once, and remember what was there."""
    if not place.landing.is_dir():
        return Look([], "", [])
    files, _ = delivery.find(place.landing, contracts)
    stamps = {file.path: stamp for file in files if (stamp := _stamp(place.landing / file.path))}
    memory = read_memory(place)
    found = judge(files, stamps, memory, _published(place), lambda path: _sum(place, path))
    write_memory(place, memory)
    return found


def judge(
    files: Iterable[Delivered],
    stamps: Mapping[str, str],
    memory: Memory,
    published: set[tuple[str, str, str, str]],
    checksum: Callable[[str], str | None],
) -> Look:
    """Tell new files from changing, published and settled ones, and bring `memory` up to date.

    Args:
        files: what lies in the landing folder under a final name.
        stamps: of those that are still there, by path.
        memory: of the last look; changed in place.
        published: source, feed, file name and sha256 of the current version's deliveries.
        checksum: returns the sha256 of a file by its path, None if it is gone.
    """
    new: list[str] = []
    changing: list[str] = []
    digest = hashlib.sha256()
    before, memory.seen = memory.seen, dict(stamps)
    for known in (memory.sums, memory.settled):
        for path in [path for path in known if path not in stamps]:
            del known[path]
    for file in files:
        path, stamp = file.path, stamps.get(file.path)
        if stamp is None or memory.settled.get(path) == stamp:
            continue
        if before.get(path) != stamp:
            changing.append(path)
            continue
        kept = memory.sums.get(path)
        found = kept[1] if kept and kept[0] == stamp else checksum(path)
        if found is None:
            continue
        memory.sums[path] = (stamp, found)
        if (file.source, file.feed, file.file_name, found) in published:
            memory.settled[path] = stamp
            del memory.sums[path]
            continue
        new.append(path)
        digest.update(f"{path}\0{found}\0".encode())
    return Look(new, digest.hexdigest()[:16] if new else "", changing)


def memory_file(place: Home) -> Path:
    """Return where the looks of a home are remembered."""
    return place.warehouse / "landing_seen.json"


def read_memory(place: Home) -> Memory:
    """Return what earlier looks left; nothing where that cannot be read."""
    try:
        held = json.loads(memory_file(place).read_text(encoding="utf-8"))
        sums = {path: (stamp, found) for path, (stamp, found) in held["sums"].items()}
        return Memory(dict(held["seen"]), sums, dict(held["settled"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Memory()


def write_memory(place: Home, memory: Memory) -> None:
    """Keep what was seen, for the next look."""
    path = memory_file(place.prepare())
    beside = path.with_suffix(".tmp")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(handle, "w", encoding="utf-8") as stream:
        json.dump(vars(memory), stream, ensure_ascii=False)
    beside.replace(path)


def _published(place: Home) -> set[tuple[str, str, str, str]]:
    try:
        manifest = versions.current(place) or {}
    except versions.VersionDamaged:
        return set()
    return {
        (entry["source"], entry["feed"], entry["file_name"], entry["sha256"])
        for entry in manifest.get("deliveries", [])
    }


def _stamp(path: Path) -> str | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _sum(place: Home, path: str) -> str | None:
    try:
        return sha256_of(place.landing / path)
    except OSError:
        return None
