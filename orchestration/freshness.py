"""How long ago each source delivered, against what its contract says is late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from orchestration import ledger
from orchestration.contracts import Source

# Of the published version, in Dagster's own freshness policy: one daily run may be missed or slow,
# two are an outage.
PUBLISHED_WARNS_AFTER = timedelta(hours=26)
PUBLISHED_FAILS_AFTER = timedelta(hours=50)


@dataclass(frozen=True)
class Freshness:
    """When a source last delivered rows, None if never, and after how long it counts as late."""

    source: str
    newest: datetime | None
    late_after: timedelta | None
    now: datetime

    @property
    def is_late(self) -> bool:
        """Whether it should have delivered by now; never before its first delivery."""
        return bool(
            self.newest and self.late_after is not None and self.now - self.newest > self.late_after
        )

    @property
    def hours(self) -> float | None:
        """Hours since the last delivery."""
        return None if self.newest is None else (self.now - self.newest) / timedelta(hours=1)

    def __str__(self) -> str:
        """Say it in a sentence."""
        if self.hours is None:
            return f"{self.source} has delivered nothing yet"
        late = (
            f", late since {self.late_after / timedelta(hours=1):g} hours after it"
            if self.is_late and self.late_after is not None
            else ""
        )
        return (
            f"{self.source} last delivered {self.newest:%Y-%m-%d %H:%M} UTC, "
            f"{self.hours:,.1f} hours ago{late}"
        )


def freshness(
    build: duckdb.DuckDBPyConnection, contracts: Mapping[str, Source], now: datetime
) -> list[Freshness]:
    """Return how fresh each source is, by the ledger of the build file.

    Args:
        build: the build file, attached as `build`.
        contracts: the sources by name.
        now: with its zone.
    """
    newest = dict(
        build.execute(
            "select source, max(loaded_at) from build.raw.deliveries "
            "where status = ? and rows_landed > 0 group by all",
            [ledger.LANDED],
        ).fetchall()
    )
    at = now.astimezone(UTC).replace(tzinfo=None)
    return [
        Freshness(source.name, newest.get(source.name), source.late_after, at)
        for source in contracts.values()
    ]
