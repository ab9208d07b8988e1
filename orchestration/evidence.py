"""What the published version knows of one customer: everything that an explanation rests on."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from orchestration.home import Home
from orchestration.readers import open_published
from orchestration.wording import ERRORS, Language, Words, listed

SIMILAR = 5
SHORTENED = 4

CUSTOMERS = """
    select customer_id from customer_segments
    where customer_id = $id or customer_id = source || ':' || $id
    order by customer_id <> $id, customer_id
"""

SIMILAR_CUSTOMERS = """
    select customer_id from customer_segments
    where starts_with(customer_id, $id) or starts_with(customer_id, source || ':' || $id)
    order by length(customer_id), customer_id
    limit $most
"""

REASONS = """
    select dimension, code, rule_id, measure, value, lower_bound, upper_bound, clause
    from segment_reasons
    where customer_id = $id
    order by dimension, rule_id, measure
"""

# Of the widest backtest of the model that scores this customer's source.
COVERAGE = """
    select origin_date, horizon_days, value
    from clv_model_card
    where
        source = $source and measure = 'coverage' and bucket = 'all' and is_used
        and horizon_days > 0 and value is not null
    order by horizon_days desc, origin_date desc
    limit 1
"""

OVERRIDE = """
    select author, reason, valid_from, valid_to from override_ledger
    where customer_id = $id and override_status = 'in_force'
"""

NOTES = "select distinct note_en, note_zh from segment_summary where note_en <> ''"

LABELS = "select dimension, code, label_en, label_zh, sort_order from segment_labels"

HISTORY = """
    select * from customer_segments_history
    where customer_id = $id and as_of_date < $as_of
    order by as_of_date
"""

MONTH_ENDS = """
    select min(as_of_date), max(as_of_date) from customer_segments_history
    where as_of_date < $as_of
"""


class CustomerNotFound(Exception):
    """No customer, or several, answer to what was asked for; the message says which there are."""


@dataclass(frozen=True)
class Reason:
    """One row of `segment_reasons`."""

    dimension: str
    code: str
    rule_id: str
    measure: str
    value: float | None
    lower: float | None
    upper: float | None
    clause: str | None


@dataclass(frozen=True)
class Override:
    """What a person said of a customer and still holds; without a last day until further notice."""

    author: str
    reason: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Coverage:
    """What share of customers an interval of CLV held, in the days after a past day."""

    origin: date
    days: int
    share: float


@dataclass(frozen=True)
class Evidence:
    """The published rows of one customer.

    `segments`, `profile` and `clv` are rows by column name. `history` has the customer's month-ends
    before the as-of, ascending; `first_kept` and `previous` are the first and the last month-end
    before it that the history keeps for anybody. `ranks` gives the place of a label.
    """

    segments: dict[str, Any]
    profile: dict[str, Any]
    clv: dict[str, Any]
    reasons: tuple[Reason, ...]
    override: Override | None
    history: tuple[dict[str, Any], ...]
    first_kept: date | None
    previous: date | None
    coverage: Coverage | None
    notes: tuple[Words, ...]
    labels: dict[tuple[str, str], Words]
    ranks: dict[tuple[str, str], int]


def find_customer(connection: duckdb.DuckDBPyConnection, given: str, language: Language) -> str:
    """Return the id of the customer meant by `<source>:<id>`, or by the id alone.

    Raises:
        CustomerNotFound: nobody has it, or customers of several sources.
    """
    if not given:
        raise CustomerNotFound(ERRORS["nameless"].say(language))
    found = [each for (each,) in connection.execute(CUSTOMERS, {"id": given}).fetchall()]
    if given in found or len(found) == 1:
        return found[0]
    if found:
        ids = listed(found, language)
        raise CustomerNotFound(ERRORS["ambiguous"].say(language, given=given, ids=ids))
    similar = listed(_similar(connection, given), language)
    near = ERRORS["near"].say(language, ids=similar) if similar else ""
    raise CustomerNotFound(ERRORS["unknown"].say(language, given=given, near=near))


def _similar(connection: duckdb.DuckDBPyConnection, given: str) -> list[str]:
    """Return some ids that begin as the given one does, less its last characters if need be."""
    for length in range(len(given), max(0, len(given) - SHORTENED), -1):
        found = connection.execute(
            SIMILAR_CUSTOMERS, {"id": given[:length], "most": SIMILAR}
        ).fetchall()
        if found:
            return [each for (each,) in found]
    return []


def read_evidence(place: Home, given: str, language: Language) -> Evidence:
    """Read what is published of a customer, all of it from one version.

    Raises:
        VersionMissing: nothing is published.
        CustomerNotFound: see `find_customer`.
    """
    with open_published(place) as published:
        customer = find_customer(published, given.strip(), language)
        (segments,) = _rows(published, _of_customer("customer_segments"), id=customer)
        (profile,) = _rows(published, _of_customer("customer_profiles"), id=customer)
        (clv,) = _rows(published, _of_customer("customer_clv"), id=customer)
        reasons = published.execute(REASONS, {"id": customer}).fetchall()
        override = published.execute(OVERRIDE, {"id": customer}).fetchone()
        coverage = published.execute(COVERAGE, {"source": segments["source"]}).fetchone()
        notes = published.execute(NOTES).fetchall()
        labels = published.execute(LABELS).fetchall()
        as_of = segments["as_of_date"]
        history = _rows(published, HISTORY, id=customer, as_of=as_of)
        first_kept, previous = published.execute(MONTH_ENDS, {"as_of": as_of}).fetchall()[0]
    return Evidence(
        segments=segments,
        profile=profile,
        clv=clv,
        reasons=tuple(Reason(*row) for row in reasons),
        override=None if override is None else Override(*override),
        history=tuple(history),
        first_kept=first_kept,
        previous=previous,
        coverage=None if coverage is None else Coverage(*coverage),
        notes=tuple(Words(*row) for row in notes),
        labels={(dimension, code): Words(en, zh) for dimension, code, en, zh, _ in labels},
        ranks={(dimension, code): rank for dimension, code, _, _, rank in labels},
    )


def _of_customer(table: str) -> str:
    return f"select * from {table} where customer_id = $id"


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, **parameters: object
) -> list[dict[str, Any]]:
    found = connection.execute(query, parameters)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
