"""The published versions: which there are, which one readers get, and going back to an older one.

`published/versions/<n>/` holds the DuckDB files and `manifest.json`; `published/current` is a
relative link to one of them. The link is replaced by rename, so readers meet the old version or
the new one and nothing between.
"""

import json
import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.copies import sha256_of
from orchestration.home import Home, writer_lock

MANIFEST = "manifest.json"
DRAFT = ".tmp"


class VersionMissing(Exception):
    """There is no such published version; the message says which there are."""


class VersionDamaged(Exception):
    """A version's files are not those that were published; the message names them."""


@dataclass(frozen=True)
class Published:
    """What readers get now.

    `tables` maps a table to its rows, `files` a file's name to its sha256; `unchanged` are the
    files hard-linked from the version before.
    """

    version: int
    path: Path
    as_of_date: date | None
    tables: dict[str, int]
    files: dict[str, str]
    unchanged: tuple[str, ...] = ()


def versions_folder(place: Home) -> Path:
    """Return the folder that holds one folder per version."""
    return place.published / "versions"


def version_numbers(place: Home) -> list[int]:
    """Return the numbers of the versions present, ascending; drafts do not count."""
    folder = versions_folder(place)
    if not folder.is_dir():
        return []
    return sorted(int(found.name) for found in folder.iterdir() if found.name.isdecimal())


def current_number(place: Home) -> int | None:
    """Return the number that `current` points to, None before the first publish."""
    try:
        target = Path(os.readlink(place.published / "current"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(target.name)


def next_number(place: Home) -> int:
    """Return the number after the greatest ever given; a clock set back cannot repeat one."""
    return 1 + max([0, current_number(place) or 0, *version_numbers(place)])


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a version's manifest.

    Raises:
        VersionDamaged: the folder or its manifest is missing or not readable as JSON.
    """
    try:
        return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise VersionDamaged(f"the manifest of {folder} cannot be read: {error}") from error


def current(place: Home) -> dict[str, Any] | None:
    """Return the manifest of the version that readers get, None before the first publish.

    Raises:
        VersionDamaged: `current` points to a version that is missing or damaged.
    """
    number = current_number(place)
    return None if number is None else read_manifest(versions_folder(place) / str(number))


def verify_version(folder: Path) -> dict[str, Any]:
    """Return a version's manifest after comparing every file with it.

    Raises:
        VersionDamaged: a file is missing or its sha256 differs.
    """
    manifest = read_manifest(folder)
    damaged = [
        name
        for name, facts in manifest["files"].items()
        if not (folder / name).is_file() or sha256_of(folder / name) != facts["sha256"]
    ]
    if damaged:
        raise VersionDamaged(
            f"version {manifest['version']} is damaged: {', '.join(damaged)} is missing or not the "
            f"file that was published"
        )
    return manifest


def published_as(
    folder: Path, manifest: dict[str, Any], unchanged: tuple[str, ...] = ()
) -> Published:
    """Return a manifest in the short form that callers print."""
    as_of = manifest["as_of_date"]
    return Published(
        version=manifest["version"],
        path=folder,
        as_of_date=None if as_of is None else date.fromisoformat(as_of),
        tables={name: facts["rows"] for name, facts in manifest["tables"].items()},
        files={name: facts["sha256"] for name, facts in manifest["files"].items()},
        unchanged=unchanged,
    )


def rollback(place: Home, to: int | None = None, wait_seconds: float = 60.0) -> Published:
    """Switch readers to an older version (or back to a newer one).

    Args:
        place: the home.
        to: the version; by default the newest one before the current.
        wait_seconds: how long to wait for another writer.

    Raises:
        VersionMissing: there is no such version.
        VersionDamaged: its files are not those that were published; readers keep what they had.
        WriterBusy: another process writes the warehouse.
    """
    with writer_lock(place, "rollback", wait_seconds):
        number = _rollback_target(version_numbers(place), current_number(place), to)
        folder = versions_folder(place) / str(number)
        manifest = verify_version(folder)
        switch(place, number)
        return published_as(folder, manifest)


def _rollback_target(present: list[int], now: int | None, to: int | None) -> int:
    kept = ", ".join(map(str, present)) or "none"
    if to is not None:
        if to not in present:
            raise VersionMissing(f"there is no version {to}; the versions kept: {kept}")
        return to
    if now is None:
        raise VersionMissing("nothing is published yet: run ./segments run")
    before = [number for number in present if number < now]
    if not before:
        raise VersionMissing(f"no version before {now} is kept; the versions kept: {kept}")
    return before[-1]


def switch(place: Home, number: int) -> None:
    """Point `current` at a version, in one step for readers, and make that durable."""
    beside = place.published / f"current{DRAFT}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(Path("versions") / str(number), target_is_directory=True)
    beside.replace(place.published / "current")
    sync(place.published)


def sync(path: Path) -> None:
    """Flush a file's or folder's content to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def clear_drafts(place: Home) -> None:
    """Remove what a publish that was killed left behind; call it under the writer's lock."""
    (place.published / f"current{DRAFT}").unlink(missing_ok=True)
    for left in versions_folder(place).glob(f"*{DRAFT}"):
        shutil.rmtree(left)


def prunable(
    present: list[int], now: int | None, served_before: int | None, keep: int
) -> list[int]:
    """Return the versions to remove: all but the newest, the current and those to go back to.

    Args:
        present: the versions' numbers, ascending.
        now: the current one.
        served_before: the one that readers had before the last switch.
        keep: how many of the newest stay.
    """
    before = [number for number in present if now is not None and number < now]
    stay = {*present[-keep:], *before[-1:], now, served_before}
    return [number for number in present if number not in stay]


def prune(place: Home, served_before: int | None, keep: int) -> None:
    """Remove old versions, by number and not by time.

    A version becomes a draft first, so that one half removed is never taken for a version.
    """
    folder = versions_folder(place)
    for number in prunable(version_numbers(place), current_number(place), served_before, keep):
        draft = folder / f"{number}{DRAFT}"
        (folder / str(number)).replace(draft)
        shutil.rmtree(draft)
