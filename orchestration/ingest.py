"""Ingestion: delivered files into the raw schema, each whole or not at all, each record accounted.

One delivery goes through four modules: `delivery` copies its bytes, `csv_text` counts its records,
`reading` matches its columns, `loading` lands and quarantines. `ledger` keeps the books.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from orchestration import contracts as contract_files
from orchestration import control, delivery, ledger
from orchestration.contracts import Source
from orchestration.delivery import Delivered, Reader, Refusal, Spooled, StillChanging
from orchestration.error_values import without_values
from orchestration.home import Home, writer_lock
from orchestration.loading import Arrival, Landed, land
from orchestration.typing_rules import literal

# How far a clock may be set back, as they are all the time, before it is worth a word.
CLOCK_MAY_STEP_BACK = timedelta(minutes=1)


class IngestError(Exception):
    """Nothing more can be ingested in this call; what was landed before stays landed."""


@dataclass(frozen=True)
class DeliveryResult:
    """A ledger row of this call. `status` is landed, duplicate or refused; counts are records."""

    delivery_id: int
    source: str
    feed: str
    file_name: str
    status: str
    records_counted: int | None
    rows_landed: int
    rows_quarantined: int
    note: str | None


@dataclass(frozen=True)
class IngestReport:
    """What one call of `ingest` did.

    `results` are its new ledger rows; `already_known` counts the files that needed none; `waiting`
    names the files that changed while they were read, for the next run. `warnings` are what people
    should see: with every run, each file that is refused and why.
    """

    results: list[DeliveryResult]
    already_known: int
    waiting: list[str]
    warnings: list[str]


def ingest(
    place: Home,
    landing: Path | None = None,
    sources: Sequence[str] | None = None,
    progress: Callable[[str], None] | None = None,
    contracts: Mapping[str, Source] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    request: control.Request | None = None,
) -> IngestReport:
    """Take what has been delivered, in the order of source, feed and file name.

    Args:
        place: the home whose build file is written, under its writer's lock.
        landing: the landing folder, `landing/` of the home by default.
        sources: take the files of these sources only; raw tables are made for all.
        progress: called with a line of text before each file that is read.
        contracts: the sources by name, those of the project by default.
        clock: the time that marks a delivery, never before the delivery before it; a time without
            a zone is UTC.
        request: what the next build is asked for beside the new deliveries.

    Raises:
        IngestError: the landing folder, a source, the build file or the disk is not usable.
        ContractError: a contract of the project is not usable.
        WriterBusy: another process writes the warehouse.
    """
    known = contract_files.load() if contracts is None else contracts
    unknown = sorted(set(sources or ()) - set(known))
    if unknown:
        raise IngestError(f"Unknown source {', '.join(unknown)}. Known are {', '.join(known)}.")
    with writer_lock(place, "ingest"):
        folder = landing or place.landing
        if not folder.is_dir():
            raise IngestError(f"The landing folder {folder} is missing, or is no folder.")
        spool = place.warehouse / "spool"
        with _spool(spool), _warehouse(place.build_file, spool) as connection:
            ledger.create(connection, known)
            run = _Run(connection, folder, spool, known, clock)
            found, warnings = delivery.find(folder, known)
            run.warnings.extend(warnings)
            for file in found:
                if sources is None or file.source in sources:
                    if progress:
                        progress(f"reading {file.path}")
                    run.take(file)
            run.warnings.extend(_never_delivered(connection, known, sources))
        try:
            control.begin(place, request)
        except duckdb.Error as error:
            raise IngestError(f"The warehouse cannot be written: {error}") from error
        return IngestReport(run.results, run.already_known, run.waiting, run.warnings)


@contextmanager
def _spool(folder: Path) -> Iterator[None]:
    # A killed run leaves private copies behind; nobody else may be using them under the lock.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _warehouse(path: Path, spool: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(
            str(path),
            config={
                # With more, rows kept in order are written twice, the second time at the close:
                # half as much CPU again, and no sooner done.
                "threads": "1",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
    except duckdb.Error as error:
        raise IngestError(f"The build file cannot be opened: {error}") from error
    try:
        path.chmod(0o600)
        connection.execute("set TimeZone = 'UTC'")
        # Whatever a file talks the engine into, it reaches the private copies and nothing else.
        connection.execute(f"set allowed_directories = [{literal(str(spool))}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection
    except ledger.LedgerError as error:
        raise IngestError(str(error)) from error
    except duckdb.Error as error:
        # Dagster keeps the message, and those of its causes.
        message = without_values(error)
        raise IngestError(f"The warehouse cannot be written: {message}") from None
    except OSError as error:
        raise IngestError(f"Files cannot be read or written: {error}") from error
    finally:
        connection.close()


@dataclass(frozen=True)
class _Copy:
    """A file as read: its hash and size, and where it was new, its private copy or the refusal."""

    sha256: str
    size: int
    spooled: Spooled | None = None
    refusal: Refusal | None = None


class _Run:
    """One call of `ingest`: takes files one by one and keeps what the report says of them."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        landing: Path,
        spool: Path,
        contracts: Mapping[str, Source],
        clock: Callable[[], datetime],
    ) -> None:
        self._connection = connection
        self._landing = landing
        self._spool = spool
        self._contracts = contracts
        self._clock = clock
        self._newest = ledger.newest_time(connection)
        self._told_of_clock = False
        self.results: list[DeliveryResult] = []
        self.already_known = 0
        self.waiting: list[str] = []
        self.warnings: list[str] = []

    def take(self, file: Delivered) -> None:
        """Take one file, or keep why not; raises only what is not the file's fault."""
        earlier = ledger.known(self._connection, file)
        taken = [one for one in earlier if _settles(one, file)]
        try:
            copy = self._copy(file, {one.size for one in taken}, {one.sha256 for one in taken})
        except StillChanging:
            self.waiting.append(file.path)
            return
        except Refusal as refusal:
            self.warnings.append(f"{file.path}: not taken: {refusal}")
            return
        try:
            same = [one for one in taken if one.sha256 == copy.sha256]
            if any(one.file_name == file.file_name for one in same):
                self.already_known += 1
            elif same:
                note = f"the same bytes came as {same[0].file_name}"
                self._note(file, copy, ledger.DUPLICATE, same[0].records_counted, note)
            else:
                self._land(file, copy, earlier)
        finally:
            for leftover in self._spool.iterdir():
                leftover.unlink()

    def _copy(self, file: Delivered, sizes: set[int], hashes: set[str]) -> _Copy:
        path = self._spool / f"delivery{'.parquet' if file.kind == '.parquet' else '.csv'}"
        scan, refusal = None, None
        with delivery.opened(self._landing, file) as handle:
            if os.fstat(handle).st_size in sizes:
                # Likely taken before: a hash is cheaper than a copy.
                reader = Reader(handle)
                if reader.finish() in hashes:
                    return _Copy(reader.finish(), reader.size)
            reader = Reader(handle)
            try:
                if file.kind == ".parquet":
                    delivery.spool_bytes(reader, path)
                else:
                    source = self._contracts[file.source]
                    scan = delivery.spool_csv(reader, path, source, file.kind == ".csv.gz")
            except Refusal as error:
                refusal = error
            sha256 = reader.finish()
        return _Copy(sha256, reader.size, Spooled(path, sha256, reader.size, scan), refusal)

    def _land(self, file: Delivered, copy: _Copy, earlier: Sequence[ledger.Known]) -> None:
        source = self._contracts[file.source]
        arrival = Arrival(
            ledger.next_id(self._connection), file, source, source.feed(file.feed), self._now()
        )

        def finish(done: Landed) -> None:
            self._write(_entry(arrival, copy, done))

        try:
            if copy.refusal:
                raise copy.refusal
            assert copy.spooled is not None
            done = land(self._connection, arrival, copy.spooled, finish)
        except Refusal as refusal:
            self._refuse(file, copy, str(refusal), earlier)
            return
        entry = _entry(arrival, copy, done)
        self._report(entry)
        if done.quarantined:
            self.warnings.append(
                f"{file.path}: {done.quarantined} of {done.counted} records went to the quarantine."
            )
        elif not done.counted:
            self.warnings.append(f"{file.path}: it holds no records ({entry.note}).")

    def _refuse(
        self, file: Delivered, copy: _Copy, note: str, earlier: Sequence[ledger.Known]
    ) -> None:
        # The file stays and is tried again by every run: one row per reason is enough.
        refused = (ledger.REFUSED, file.file_name, copy.sha256)
        reasons = [
            one.note for one in earlier if (one.status, one.file_name, one.sha256) == refused
        ]
        self.warnings.append(f"{file.path}: {'still ' if reasons else ''}refused: {note}.")
        if note not in reasons:
            self._note(file, copy, ledger.REFUSED, None, note)

    def _note(
        self, file: Delivered, copy: _Copy, status: str, counted: int | None, note: str
    ) -> None:
        """Add a ledger row of a file of which nothing was landed."""
        entry = ledger.Entry(
            delivery_id=ledger.next_id(self._connection),
            file=file,
            sha256=copy.sha256,
            size=copy.size,
            records_counted=counted,
            rows_landed=0,
            rows_quarantined=0,
            status=status,
            note=note,
            loaded_at=self._now(),
        )
        self._write(entry)
        self._report(entry)

    def _write(self, entry: ledger.Entry) -> None:
        ledger.write(self._connection, entry)

    def _report(self, entry: ledger.Entry) -> None:
        self.results.append(
            DeliveryResult(
                delivery_id=entry.delivery_id,
                source=entry.file.source,
                feed=entry.file.feed,
                file_name=entry.file.file_name,
                status=entry.status,
                records_counted=entry.records_counted,
                rows_landed=entry.rows_landed,
                rows_quarantined=entry.rows_quarantined,
                note=entry.note,
            )
        )

    def _now(self) -> datetime:
        now = self._clock()
        now = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
        if self._newest is None or now >= self._newest:
            self._newest = now
            return now
        # A clock that was set back would make what is sold today a fact of the future.
        if self._newest - now > CLOCK_MAY_STEP_BACK and not self._told_of_clock:
            self._told_of_clock = True
            self.warnings.append(
                f"The clock says {now:%Y-%m-%d %H:%M} (UTC), before the last delivery of "
                f"{self._newest:%Y-%m-%d %H:%M}: what arrives now is dated like that one. Set the "
                f"clock right."
            )
        return self._newest


def _settles(known: ledger.Known, file: Delivered) -> bool:
    """Say whether an earlier delivery of the same bytes would settle this one."""
    if known.status == ledger.WITHDRAWN:
        # Else the next run would take the file that was just undone; under another name it is new.
        return known.file_name == file.file_name
    return known.status != ledger.REFUSED


def _entry(arrival: Arrival, copy: _Copy, done: Landed) -> ledger.Entry:
    return ledger.Entry(
        delivery_id=arrival.delivery_id,
        file=arrival.file,
        sha256=copy.sha256,
        size=copy.size,
        records_counted=done.counted,
        rows_landed=done.landed,
        rows_quarantined=done.quarantined,
        status=ledger.LANDED,
        note="; ".join(done.notes) or None,
        loaded_at=arrival.arrived,
    )


def _never_delivered(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, Source],
    sources: Sequence[str] | None,
) -> Iterator[str]:
    """Tell of required feeds that never came, but not of a source that nobody uses."""
    delivered = ledger.delivered_feeds(connection)
    used = {source for source, _ in delivered} or set(contracts)
    for source in contracts.values():
        if source.name in (used if sources is None else sources):
            for feed in source.feeds:
                if feed.required and (source.name, feed.name) not in delivered:
                    yield f"{source.name}/{feed.name}: required, and nothing has been landed yet."
