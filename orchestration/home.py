"""Where the warehouse keeps its state, and the lock that keeps its writers apart."""

import contextlib
import fcntl
import os
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Dagster makes addresses of paths, and dbt-duckdb reads a path as one and takes the name of the
# database from it, which it pastes into SQL.
UNUSABLE = "?%#;"
PROJECT = Path(__file__).resolve().parent.parent


def memory_limit() -> str:
    """Return how much memory DuckDB may take, as `profiles.yml` says it for dbt.

    Beyond it DuckDB spills to disk; without it, it takes four fifths of the machine.
    """
    return os.environ.get("SEGMENTS_MEMORY_LIMIT", "1500MB")


class HomeUnusable(Exception):
    """The home's folders cannot be made or written; the message says where."""


class WriterBusy(Exception):
    """Another process writes the warehouse; the message names it."""


@dataclass(frozen=True)
class Home:
    """The folders under one SEGMENTS_HOME."""

    root: Path

    @property
    def landing(self) -> Path:
        """Delivered files, `<source>/<feed>/<file>`."""
        return self.root / "landing"

    @property
    def warehouse(self) -> Path:
        """Private working folder."""
        return self.root / "warehouse"

    @property
    def build_file(self) -> Path:
        """The private DuckDB file that dbt builds in."""
        return self.warehouse / "build.duckdb"

    @property
    def published(self) -> Path:
        """Versions and the link `current` that readers open."""
        return self.root / "published"

    @property
    def exports(self) -> Path:
        """Lists for people and other systems."""
        return self.root / "exports"

    @property
    def logs(self) -> Path:
        """Logs of dbt and Dagster."""
        return self.root / "logs"

    def prepare(self) -> "Home":
        """Create the folders; what readers and deliverers do not need is for the owner alone.

        So are the files that this process and those it starts write from here on, whatever the
        umask they were started with; what is published gets its modes by name.

        Raises:
            HomeUnusable: a folder cannot be made, or its path would garble what tells of it.
        """
        given = str(self.root)
        if any(unicodedata.category(one) in ("Cc", "Cs") or one in UNUSABLE for one in given):
            raise HomeUnusable(
                f"{given!r} has a line end, another control character, a byte that is not UTF-8 or "
                f"one of {' '.join(UNUSABLE)} in it. Set SEGMENTS_HOME to a folder without."
            )
        try:
            os.umask(0o027)
            for folder in (self.landing, self.published):
                folder.mkdir(parents=True, exist_ok=True)
            os.umask(0o077)
            for folder in (self.warehouse, self.exports, self.logs):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o700)
        except OSError as error:
            raise HomeUnusable(
                f"{self.root} cannot hold the warehouse ({error.strerror}: {error.filename}). "
                f"Set SEGMENTS_HOME to a folder that you may write."
            ) from error
        return self


def home(root: str | os.PathLike[str] | None = None) -> Home:
    """Return the home at `root`, else at SEGMENTS_HOME, else at `data/` in the project."""
    chosen = Path(root or os.environ.get("SEGMENTS_HOME") or PROJECT / "data")
    try:
        return Home(chosen.resolve())
    except (OSError, RuntimeError):
        # A circle of links: `prepare` says so.
        return Home(chosen.absolute())


@contextlib.contextmanager
def writer_lock(
    place: Home, what: str, wait_seconds: float = 60.0, name: str = "writer.lock"
) -> Iterator[None]:
    """Hold the one writer's lock of a home; the second writer waits, then is told who holds it.

    Steps take `writer.lock`; a whole run holds `run.lock` around its steps, so that no other run
    comes between them.

    Raises:
        HomeUnusable: the home cannot be written.
        WriterBusy: after `wait_seconds`, naming the process and what it does.
    """
    place.prepare()
    path = place.warehouse / name
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.pread(handle, 300, 0).decode(errors="replace").strip()
                    raise WriterBusy(
                        f"{path} is held by {holder or 'another process'}. "
                        f"Wait for it to end, or stop it, then run this again."
                    ) from None
                time.sleep(0.2)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} ({what})".encode(), 0)
        yield
    finally:
        os.close(handle)


def hold_daemon_lock(place: Home) -> None:
    """Hold the lock of the one daemon of a home until this process ends, whatever it becomes.

    Two daemons on one history start each run twice.

    Raises:
        WriterBusy: another daemon runs; it is named.
    """
    path = place.warehouse / "daemon.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 300, 0).decode(errors="replace").strip()
        os.close(handle)
        raise WriterBusy(
            f"{path} is held by {holder or 'another process'}: a home has one daemon. End that one "
            f"first"
        ) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"process {os.getpid()} (the daemon)".encode(), 0)
    # Kept by what this process becomes, and by no child that it starts.
    os.set_inheritable(handle, True)
