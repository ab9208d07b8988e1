"""The sample shop: landing files of a merchant who does not exist, and the truth planted in them.

    from sample.generate import generate
    generate(Path("data"), customers=2000)

Customers are drawn in blocks, each from its own children of the seed, so memory is bounded and a
block does not depend on how the others were made. The size of a block follows from the arguments
and is no setting: another block size would be another shop.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sample import behaviour, campaigns, customers, interactions, orders
from sample.behaviour import Calendar, Population, Purchases
from sample.campaigns import Campaign, Contacts
from sample.catalogue import Catalogue, build_catalogue
from sample.customers import DAY
from sample.files import FORMATS, MAXIMUM_MONTHS, LandingWriter, dates, pick, timestamps

BEHAVIOURS = ("bgnbd", "seasonal")
BLOCK = 25_000  # customers drawn at once for up to BLOCK_MONTHS months, fewer for a longer history
BLOCK_MONTHS = 36
SOURCE = "shop"
GENERATOR_VERSION = 1  # raised when the same arguments begin to give other files


@dataclass(frozen=True)
class GeneratedShop:
    """Where a generated shop lies.

    Attributes:
        landing: folder of sources, `<landing>/shop/<feed>/<file>`.
        truth: folder with `parameters.json` and `customers.parquet`.
        rows: rows written per feed, revisions included.
    """

    landing: Path
    truth: Path
    rows: dict[str, int]


def generate(
    out: Path,
    customers: int = 2000,
    months: int = 30,
    seed: int = 1,
    behaviour: str = "bgnbd",
    end: date = date(2026, 6, 30),
    file_format: str = "csv",
    progress: Callable[[str], None] | None = None,
) -> GeneratedShop:
    """Write a shop's landing files to `out/landing/shop/` and its truth to `out/truth/`.

    The same arguments give the same bytes. Files appear under their names only when all are whole.

    Args:
        out: folder to write to.
        customers: number of customers, prospects included, from 1.
        months: calendar months of history, the last one being that of `end`.
        seed: any whole number from 0.
        behaviour: `bgnbd` (what BG/NBD assumes) or `seasonal` (what it does not).
        end: last day of the shop; nothing is dated later.
        file_format: `csv`, `csv.gz` or `parquet`.
        progress: called with a line of text after each block of customers.

    Raises:
        ValueError: an argument is out of range; the message says what to give.
        FileExistsError: `out` holds a shop made with other arguments.
    """
    arguments = {
        "customers": customers,
        "months": months,
        "seed": seed,
        "behaviour": behaviour,
        "end": str(end),
        "file_format": file_format,
        "generator_version": GENERATOR_VERSION,
    }
    _check(customers, months, seed, behaviour, end, file_format)
    out = Path(out)
    landing, truth = out / "landing", out / "truth"
    _refuse_other_shop(landing / SOURCE, truth, arguments)
    out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".generating-", dir=out))
    try:
        rows = _write_shop(work, arguments, end, progress or (lambda _: None))
        _move(work / "landing", landing / SOURCE)
        _move(work / "truth", truth)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return GeneratedShop(landing, truth, rows)


def _check(
    customers: int, months: int, seed: int, behaviour: str, end: date, file_format: str
) -> None:
    if customers < 1:
        raise ValueError(f"customers is {customers}: give at least 1.")
    if not 1 <= months <= MAXIMUM_MONTHS:
        raise ValueError(f"months is {months}: give 1 to {MAXIMUM_MONTHS}.")
    if seed < 0:
        raise ValueError(f"seed is {seed}: give a whole number from 0.")
    if behaviour not in BEHAVIOURS:
        raise ValueError(f"behaviour is {behaviour!r}: give one of {', '.join(BEHAVIOURS)}.")
    if file_format not in FORMATS:
        raise ValueError(f"file_format is {file_format!r}: give one of {', '.join(FORMATS)}.")
    if end.year < 2000 or end.year - months // 12 < 1991:
        raise ValueError(
            f"end is {end} with {months} months: give a history that begins after 1990."
        )


def _refuse_other_shop(landing: Path, truth: Path, arguments: dict[str, object]) -> None:
    """Two shops in one folder would be read as one: refuse, rather than mix or delete."""
    if not landing.exists() or not any(landing.iterdir()):
        return
    told = truth / "parameters.json"
    if told.exists() and json.loads(told.read_text())["arguments"] == arguments:
        return
    raise FileExistsError(
        f"{landing} holds files of another shop. Give an empty folder, or remove {landing} first."
    )


def _move(source: Path, target: Path) -> None:
    """Move every file by rename, so that no reader meets half a file."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)


def _write_shop(
    work: Path, arguments: dict[str, object], end: date, progress: Callable[[str], None]
) -> dict[str, int]:
    size, seed = int(arguments["customers"]), int(arguments["seed"])
    is_seasonal = arguments["behaviour"] == "seasonal"
    calendar = behaviour.build_calendar(end, int(arguments["months"]), is_seasonal)
    shelf = build_catalogue(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))))
    plan = campaigns.plan_campaigns(calendar)
    tally = {campaign.number: np.zeros(3, np.int64) for campaign in plan}
    counts = np.zeros(2, np.int64)
    writer = LandingWriter(work / "landing", str(arguments["file_format"]))
    (work / "truth").mkdir()
    truth: pq.ParquetWriter | None = None
    try:
        writer.write("products", "products", orders.products_table(shelf, calendar))
        writer.write("campaigns", "campaigns", campaigns.campaigns_table(plan, calendar, size))
        step = BLOCK * BLOCK_MONTHS // max(BLOCK_MONTHS, len(calendar.month_names))
        for block, first in enumerate(range(0, size, step)):
            count = min(step, size - first)
            known, contacts, planted = _write_block(
                writer, calendar, shelf, plan, seed, block, first, count
            )
            if truth is None:
                truth = pq.ParquetWriter(work / "truth" / "customers.parquet", known.schema)
            truth.write_table(known)
            counts += planted
            for number, sums in tally.items():
                mine = contacts.campaign == number
                sums += (
                    (mine & contacts.treated).sum(),
                    (mine & ~contacts.treated).sum(),
                    (mine & contacts.responded).sum(),
                )
            progress(f"{first + count:,} of {size:,} customers")
    finally:
        writer.close()
        if truth is not None:
            truth.close()
    told = _parameters(arguments, calendar, plan, tally, counts)
    text = json.dumps(told, indent=2, sort_keys=True) + "\n"
    (work / "truth" / "parameters.json").write_text(text, encoding="utf-8")
    return dict(sorted(writer.rows.items()))


def _write_block(
    writer: LandingWriter,
    calendar: Calendar,
    shelf: Catalogue,
    plan: tuple[Campaign, ...],
    seed: int,
    block: int,
    first: int,
    count: int,
) -> tuple[pa.Table, Contacts, tuple[int, int]]:
    """Write one block of customers; return their truth, their contacts and the planted orders.

    Each part draws from its own stream: a change in one leaves the others as they were.
    """
    parts = np.random.SeedSequence(seed, spawn_key=(1, block)).spawn(9)
    stream = [np.random.default_rng(part) for part in parts]
    population, planted = behaviour.simulate(stream[0], calendar, count, first_is_buyer=block == 0)
    contacts, added = campaigns.run_campaigns(stream[1], plan, population, planted)
    purchases = Purchases(
        *(
            np.concatenate([getattr(planted, name), getattr(added, name)])
            for name in ("owner", "day", "value")
        )
    )
    traits = customers.draw_traits(stream[2], population)
    made, lines = orders.build_orders(stream[3], calendar, shelf, population, traits, purchases)
    refunds = orders.build_refunds(stream[4], calendar, made, lines)
    late, late_lines, positions = orders.build_corrections(
        stream[5], calendar, made, lines, refunds.order
    )
    registration = customers.draw_registration(
        stream[6], calendar, population, _first_order(population, made)
    )
    events = interactions.build_events(
        stream[7], calendar, population, traits, registration, made, contacts
    )
    last = stream[8]

    first_order = block * orders.ORDER_STRIDE
    ids = orders.order_ids(first_order + np.arange(len(made)))
    blank = last.random(len(made)) < 0.15
    starts = np.searchsorted(made.second, calendar.month_starts * DAY)
    line_starts = np.searchsorted(lines.order, starts)
    names = calendar.month_names
    writer.write_monthly(
        "orders", orders.orders_table(made, calendar, ids, first, blank), starts, names
    )
    writer.write_monthly(
        "order_lines", orders.lines_table(lines, made, calendar, ids), line_starts, names
    )
    late_ids = ids.take(pa.array(positions))
    writer.write(
        "orders",
        "orders_corrections",
        orders.orders_table(late, calendar, late_ids, first, blank[positions]),
    )
    writer.write(
        "order_lines",
        "order_lines_corrections",
        orders.lines_table(late_lines, late, calendar, late_ids),
    )
    writer.write(
        "refunds",
        "refunds",
        orders.refunds_table(last, refunds, calendar, ids, first_order, first),
    )
    master, revised = customers.master_data(last, calendar, population, traits, registration, first)
    writer.write("customers", "customers", master)
    writer.write("customers", "customers_update", revised)
    writer.write_monthly(
        "interactions",
        interactions.events_table(
            events, calendar, ids, block * interactions.INTERACTION_STRIDE, first
        ),
        np.searchsorted(events.second, calendar.month_starts * DAY),
        names,
    )
    writer.write(
        "campaign_contacts",
        "campaign_contacts",
        campaigns.contacts_table(contacts, calendar, first),
    )
    writer.write(
        "recommendations_shown",
        "recommendations_shown",
        interactions.recommendations_table(
            last, calendar, population, made, lines, len(shelf.price), first
        ),
    )
    if block == 0:
        writer.write("segment_overrides", "segment_overrides", _overrides(calendar, made, count))
    known = _truth(calendar, population, planted, added, registration, first)
    return known, contacts, (len(planted.owner), len(added.owner))


def _first_order(population: Population, made: orders.Orders) -> np.ndarray:
    """Return the second of each customer's first completed order, of a prospect the acquisition."""
    first = np.full(len(population), np.iinfo(np.int64).max)
    mine = np.flatnonzero((made.status == orders.COMPLETED) & (made.owner >= 0))
    # Orders are by time: written backwards, the first of each customer stays.
    first[made.owner[mine[::-1]]] = made.second[mine[::-1]]
    return np.where(population.is_prospect, (population.acquired * DAY).astype(np.int64), first)


def _overrides(calendar: Calendar, made: orders.Orders, count: int) -> pa.Table:
    """Return a handful of segments set by hand: for the biggest buyers and for some others."""
    mine = made.owner >= 0
    spent = np.bincount(made.owner[mine], weights=made.value[mine], minlength=count)
    by_spend = np.argsort(-spent, kind="stable")
    rows = (
        (
            0,
            "top",
            "Framework contract signed for two years",
            "Chen Jing",
            "contract 2026-017, signed copy in the CRM",
            120,
            None,
        ),
        (
            1,
            "loyal",
            "Buyer moves the yearly volume to us",
            "Liu Yang",
            "e-mail of the buyer",
            90,
            None,
        ),
        (
            count // 20 + 2,
            "growing",
            "Second site opens this year",
            "Wang Lei",
            "visit report",
            60,
            None,
        ),
        (
            count // 10 + 3,
            "high_value_to_activate",
            "No contact since the buyer changed",
            "Zhao Min",
            None,
            45,
            None,
        ),
        (
            count // 5 + 4,
            "slipping",
            "Competitor named in the last call",
            "Sun Hui",
            "call note",
            300,
            120,
        ),
        (count // 2 + 5, "dormant", "Business closed for rebuilding", "Zhou Ting", None, 200, 20),
    )
    rows = tuple(row for row in rows if row[0] < count and row[5] < calendar.days)
    today = calendar.epoch + calendar.days - 1
    begins = np.array([row[5] for row in rows], dtype=np.int64)
    ends = np.array([row[6] or 0 for row in rows], dtype=np.int64)
    texts = [pa.array([row[column] for row in rows], pa.string()) for column in (1, 2, 3, 4)]
    places = np.array([row[0] for row in rows], dtype=np.int64)
    return pa.table(
        {
            "customer_id": customers.customer_ids(by_spend[places]),
            "segment": texts[0],
            "reason": texts[1],
            "author": texts[2],
            "evidence": texts[3],
            "valid_from": dates(today - begins),
            "valid_to": dates(today - ends, ends > 0),
        }
    )


def _truth(
    calendar: Calendar,
    population: Population,
    planted: Purchases,
    added: Purchases,
    registration: customers.Registration,
    first: int,
) -> pa.Table:
    """Return what was planted in each customer, one row each, ids as in the customers feed."""
    size = len(population)
    is_buyer = ~population.is_prospect
    made = np.bincount(planted.owner, minlength=size)
    return pa.table(
        {
            "customer_id": customers.customer_ids(first + np.arange(size)),
            "customer_type": pick(behaviour.TYPES, population.kind),
            "is_prospect": pa.array(population.is_prospect),
            "registered_at": timestamps(calendar.epoch * DAY + registration.registered),
            "acquired_on": dates(calendar.epoch + population.acquired.astype(np.int64), is_buyer),
            "weeks_observed": pa.array((calendar.days - population.acquired) / 7, mask=~is_buyer),
            "rate_per_week": pa.array(population.rate, mask=~is_buyer),
            "dropout": pa.array(population.dropout, mask=~is_buyer | np.isnan(population.dropout)),
            "lifetime_weeks": pa.array(
                population.lifetime / 7, mask=~is_buyer | np.isnan(population.lifetime)
            ),
            "mean_order_value": pa.array(population.mean_order, mask=~is_buyer),
            "is_alive_at_end": pa.array(np.isinf(population.gone), mask=~is_buyer),
            "planted_orders": pa.array(made),
            "campaign_orders": pa.array(np.bincount(added.owner, minlength=size)),
        }
    )


def _parameters(
    arguments: dict[str, object],
    calendar: Calendar,
    plan: tuple[Campaign, ...],
    tally: dict[int, np.ndarray],
    counts: np.ndarray,
) -> dict[str, object]:
    """Return the content of parameters.json."""
    told: dict[str, object] = {
        "arguments": arguments,
        "first_day": str(calendar.start),
        "last_day": str(calendar.end),
        "customer_types": behaviour.planted_parameters(calendar.seasonal),
        "business_share": behaviour.BUSINESS_SHARE,
        "prospect_share": behaviour.PROSPECT_SHARE,
        "cny_per_usd": orders.CNY_PER_USD,
        "planted_orders": int(counts[0]),
        "campaign_orders": int(counts[1]),
        "campaigns": [
            {key: value for key, value in asdict(campaign).items() if key not in ("number",)}
            | {
                "campaign_id": f"CMP{campaign.number + 1:03d}",
                "start_day": str(date.fromordinal(calendar.start.toordinal() + campaign.start_day)),
                "treated": int(tally[campaign.number][0]),
                "control": int(tally[campaign.number][1]),
                "orders_added": int(tally[campaign.number][2]),
            }
            for campaign in plan
        ],
    }
    if calendar.seasonal:
        told["season"] = list(behaviour.SEASON)
        told["weekdays"] = dict(zip(behaviour.TYPES, behaviour.WEEKDAYS, strict=True))
        told["price_changes"] = [
            {
                "day": str(
                    date.fromordinal(calendar.start.toordinal() + int(calendar.days * share))
                ),
                "factor": factor,
            }
            for share, factor in behaviour.PRICE_CHANGES
        ]
    return told
