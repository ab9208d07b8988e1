"""Cut points proposed from the published customers; nothing is changed by them.

The documents' thresholds are those of one business. Here each cut is the round figure that parts
this business's buyers nearest to a target: so many of them below, or so much of the revenue above.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from itertools import accumulate
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from orchestration import rules
from orchestration.band_shares import LARGEST_SHARE, SMALLEST_SHARE
from orchestration.home import Home
from orchestration.readers import open_published
from orchestration.rules import Change, Row, Seed
from orchestration.settings import setting
from orchestration.what_if import WhatIfNotPossible, newest_as_of

CUSTOMERS = """
    select
        segments.net_revenue_12m,
        segments.orders_12m,
        segments.margin_rate_12m,
        segments.average_order_value_12m,
        segments.clv_predicted,
        segments.interactions_3m,
        segments.repeat_rate,
        engagement.median_gap_days
    from customer_segments as segments
    inner join customer_engagement as engagement
        on segments.customer_id = engagement.customer_id
    where segments.orders_12m > 0
"""

LEFT_AS_THEY_ARE = (
    ("activity_status", "half a year and a year are what the documents promise, not a rank"),
    ("lifecycle stages", "they go by each customer's own rhythm"),
    ("value_tier, service tiers", "they follow from the bands"),
    ("abc_class", "its cuts are shares of revenue, so they fit by themselves"),
    ("nps_group, relationship tiers", "the scales of surveys are settled"),
    ("r_score, f_score, m_score", "scores go by rank unless rfm_method is threshold"),
    ("portrait bands", "they follow statistics offices and the documents"),
)


@dataclass(frozen=True)
class Buyer:
    """A customer who ordered in the 12 months before the newest as-of, None where unknown."""

    net_revenue_12m: Decimal
    orders_12m: Decimal
    margin_rate_12m: Decimal | None
    average_order_value_12m: Decimal | None
    clv_predicted: Decimal | None
    interactions_per_month: Decimal | None
    repeat_rate: Decimal | None
    median_gap_days: Decimal | None


@dataclass(frozen=True)
class Target:
    """What to cut, and where.

    Attributes:
        dimension: the bands, or the setting, that hold the cuts.
        measure: the attribute of a buyer that is cut.
        codes: the bands from the lowest, one more than there are cuts.
        shares: for each cut the share of the buyers to be below it, ascending; with `by_revenue`
            the share of the revenue to be held by those below it.
        figure: rounds a value to a figure that may be a cut.
        at_least: the smallest cut.
    """

    dimension: str
    measure: str
    codes: tuple[str, ...]
    shares: tuple[Decimal, ...]
    figure: Callable[[Decimal], Decimal]
    by_revenue: bool = False
    at_least: Decimal | None = None


@dataclass(frozen=True)
class Share:
    """What a band holds: so many buyers and so much of their 12-month net revenue."""

    buyers: int
    net_revenue_12m: Decimal


@dataclass(frozen=True)
class Proposal:
    """The cuts of a target, in force and proposed, with what each band holds from the lowest on.

    `cuts_now` are those in force; where a setting is blank, the median that stands for it.
    `known` are the buyers whose measure is known. `cuts` is empty where the data part nobody.
    """

    target: Target
    known: Share
    cuts_now: tuple[Decimal, ...]
    shares_now: tuple[Share, ...]
    cuts: tuple[Decimal, ...]
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Calibration:
    """All proposals at an as-of; `changes` are the lines of the rule file, none if all fits.

    `left` are the dimensions without a proposal: too few buyers are known, or the bands in force
    are others than those that there is a target for.
    """

    as_of_date: date
    valid_from: date
    buyers: int
    proposals: tuple[Proposal, ...]
    left: tuple[str, ...]
    changes: tuple[Change, ...]


def two_digits(value: Decimal) -> Decimal:
    """Return a value rounded to two significant digits, as people choose amounts."""
    if value == 0:
        return Decimal(0)
    return value.quantize(Decimal(1).scaleb(value.adjusted() - 1), ROUND_HALF_UP)


def whole(value: Decimal) -> Decimal:
    """Return a value rounded to a whole number."""
    return value.quantize(Decimal(1), ROUND_HALF_UP)


def hundredths(value: Decimal) -> Decimal:
    """Return a rate rounded down to whole percents: who has the value itself is not below it."""
    return value.quantize(Decimal("0.01"), ROUND_FLOOR)


def tenths(value: Decimal) -> Decimal:
    """Return a value rounded down to one decimal: who has the value itself is not below it."""
    return value.quantize(Decimal("0.1"), ROUND_FLOOR)


_THIRDS = (Decimal(1) / 3, Decimal(2) / 3)
_HALF = (Decimal("0.5"),)
_HALF_AND_FIFTH = (Decimal("0.5"), Decimal("0.8"))
_LOW_MID_HIGH = ("low", "mid", "high")
_LOW_HIGH = ("low", "high")

TARGETS = (
    Target(
        *("spend_band", "net_revenue_12m", _LOW_MID_HIGH),
        # The top holds half of the revenue, the top and the middle together 80%.
        *((Decimal("0.2"), Decimal("0.5")), two_digits),
        by_revenue=True,
        at_least=Decimal(1),
    ),
    Target(
        *("frequency_band", "orders_12m", _LOW_MID_HIGH, _HALF_AND_FIFTH, whole),
        at_least=Decimal(2),
    ),
    Target("margin_band", "margin_rate_12m", _LOW_MID_HIGH, _THIRDS, hundredths),
    Target("order_frequency", "orders_12m", _LOW_HIGH, _HALF, whole, at_least=Decimal(2)),
    Target("order_value_cut", "average_order_value_12m", _LOW_HIGH, _HALF, two_digits),
    Target("quadrant_value_cut", "net_revenue_12m", _LOW_HIGH, _HALF, two_digits),
    Target("potential_cut", "clv_predicted", _LOW_HIGH, _HALF, two_digits),
    Target(
        *("interaction_band", "interactions_per_month", _LOW_MID_HIGH, _HALF_AND_FIFTH, tenths),
        at_least=Decimal("0.3"),
    ),
    Target("cycle_band", "median_gap_days", ("short", "mid", "long"), _THIRDS, whole),
    Target("loyalty_band", "repeat_rate", _LOW_MID_HIGH, _THIRDS, hundredths),
)


def calibrate(place: Home, valid_from: date | None = None) -> Calibration:
    """Propose cut points from the customers at the newest published as-of.

    Args:
        place: the home.
        valid_from: from when on the proposal is to hold; by default the first day of the month of
            the newest as-of, so that the month-ends before keep their rules.

    Raises:
        WhatIfNotPossible: nothing is published, or fewer buyers than are worth ranking.
    """
    as_of_date = newest_as_of(place)
    buyers = read_buyers(place)
    fewest = int(setting("minimum_buyers_to_rank", as_of_date))
    if len(buyers) < fewest:
        raise WhatIfNotPossible(
            f"{len(buyers)} customers ordered in the 12 months to {as_of_date}: with fewer than "
            f"{fewest} (minimum_buyers_to_rank) any cut is chance"
        )
    seeds = rules.read_seeds()
    proposals, left = [], []
    for target in TARGETS:
        known = [buyer for buyer in buyers if getattr(buyer, target.measure) is not None]
        if len(known) < fewest or not _has_its_bands(target, seeds, as_of_date):
            left.append(target.dimension)
        else:
            proposals.append(_propose(target, known, seeds, as_of_date))
    return Calibration(
        as_of_date=as_of_date,
        valid_from=valid_from or as_of_date.replace(day=1),
        buyers=len(buyers),
        proposals=tuple(proposals),
        left=tuple(left),
        changes=tuple(
            change for each in proposals for change in changes_of(each, seeds, as_of_date)
        ),
    )


def read_buyers(place: Home) -> list[Buyer]:
    """Return the published customers who ordered in the last 12 months."""
    with open_published(place) as connection:
        rows = connection.execute(CUSTOMERS).fetchall()
    found = []
    for revenue, orders, margin, average, clv, interactions, repeats, gap in rows:
        numbers = (revenue, orders, margin, average, clv)
        per_month = None if interactions is None else Decimal(interactions) / 3
        found.append(Buyer(*map(_decimal, numbers), per_month, _decimal(repeats), _decimal(gap)))
    return found


def choose_cuts(target: Target, values: Sequence[tuple[Decimal, Decimal]]) -> tuple[Decimal, ...]:
    """Return the cuts of a target, ascending, or none where no figures part the buyers.

    Each cut is the figure whose share below is nearest to the target's, the lower of two equally
    near; from the highest cut down, among the figures that leave every band between 1% and 80% of
    the buyers, or among all where none does.

    Args:
        target: what to cut.
        values: value and 12-month net revenue of each buyer, in any order.
    """
    ranked = sorted(values)
    keys = [value for value, _ in ranked]
    # Refunds can outweigh orders: a share of revenue is one of what is above nothing.
    money = [Decimal(0), *accumulate(max(revenue, Decimal(0)) for _, revenue in ranked)]
    figures = sorted({target.figure(value) for value in set(keys)})
    if target.at_least is not None:
        figures = [figure for figure in figures if figure >= target.at_least]

    def below(cut: Decimal) -> int:
        return bisect_left(keys, cut)

    def miss(cut: Decimal, share: Decimal) -> Decimal:
        held = money[below(cut)] / (money[-1] or 1)
        return abs((held if target.by_revenue else Decimal(below(cut)) / len(keys)) - share)

    cuts: list[Decimal] = []
    upper = len(keys)
    for number, share in reversed(list(enumerate(target.shares))):
        open_to = [figure for figure in figures if 0 < below(figure) < upper]
        sound = [
            figure
            for figure in open_to
            if _is_sound(upper - below(figure), len(keys))
            and below(figure) >= (number + 1) * SMALLEST_SHARE * len(keys)
            and (number > 0 or _is_sound(below(figure), len(keys)))
        ]
        if not open_to:
            return ()
        cut = min(sound or open_to, key=lambda figure: (miss(figure, share), figure))
        cuts.insert(0, cut)
        upper = below(cut)
    return tuple(cuts)


def shares_between(
    values: Sequence[tuple[Decimal, Decimal]], cuts: Sequence[Decimal]
) -> tuple[Share, ...]:
    """Return what each band holds, from the lowest on; a value at a cut is above it."""
    held = [[0, Decimal(0)] for _ in range(len(cuts) + 1)]
    for value, revenue in values:
        place = sum(value >= cut for cut in cuts)
        held[place][0] += 1
        held[place][1] += revenue
    return tuple(Share(int(buyers), Decimal(revenue)) for buyers, revenue in held)


def changes_of(proposal: Proposal, seeds: dict[str, Seed], as_of_date: date) -> list[Change]:
    """Return the lines of a rule file that make a proposal hold; none where it holds already."""
    target = proposal.target
    if not proposal.cuts:
        return []
    if _is_setting(target):
        if _setting_now(target, seeds, as_of_date) == proposal.cuts[0]:
            return []
        reason = _reason(proposal, 0, as_of_date)
        return [Change("settings", target.dimension, "value", _text(proposal.cuts[0]), reason)]
    rows = _bands(target, seeds, as_of_date)
    found = []
    for place, cut in enumerate(proposal.cuts):
        reason = _reason(proposal, place, as_of_date)
        for row, column in ((rows[place], "upper_bound"), (rows[place + 1], "lower_bound")):
            if Decimal(row[column]) != cut:
                found.append(Change("bands", row["rule_id"], column, _text(cut), reason))
    return found


def write_rule_file(calibration: Calibration, path: Path) -> None:
    """Write the proposal as a rule file.

    Raises:
        WhatIfNotPossible: there is such a file already, which somebody may have worked on, or no
            such folder.
    """
    try:
        with path.open("x", encoding="utf-8", newline="") as stream:
            stream.write(rules.rule_file_text(calibration.valid_from, calibration.changes))
    except FileExistsError:
        raise WhatIfNotPossible(
            f"{path} exists already and is not overwritten: name another with --out, or remove it"
        ) from None
    except FileNotFoundError:
        raise WhatIfNotPossible(f"there is no folder {path.parent}: make it first") from None


def render(calibration: Calibration, console: Console) -> None:
    """Print what each band holds under the rules in force and under the proposal."""
    console.print(
        f"{calibration.buyers:,} customers ordered in the 12 months to {calibration.as_of_date}. "
        "What the bands hold of those whose measure is known, in % of buyers and of revenue:",
        highlight=False,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("Rule", "Band"):
        table.add_column(name)
    for name in ("From now", "Buyers %", "Revenue %", "From proposed", "Buyers %", "Revenue %"):
        table.add_column(name, justify="right", no_wrap=True)
    for proposal in calibration.proposals:
        target = proposal.target
        for place, code in reversed(list(enumerate(target.codes))):
            now, new = proposal.shares_now[place], proposal.shares
            table.add_row(
                target.dimension if place == len(target.codes) - 1 else "",
                code,
                f"{proposal.cuts_now[place - 1]:,f}" if place else "",
                *_percents(now, proposal.known),
                f"{proposal.cuts[place - 1]:,f}" if place and new else "",
                *(_percents(new[place], proposal.known) if new else ("as is", "")),
            )
        table.add_section()
    console.print(table)
    if calibration.left:
        console.print(
            f"Not proposed, since too few are known or the bands are others: "
            f"{', '.join(calibration.left)}.",
            style="dim",
            highlight=False,
        )
    left = "; ".join(f"{names}: {reason}" for names, reason in LEFT_AS_THEY_ARE)
    console.print(f"Left as they are: {left}.", style="dim", highlight=False)


def _propose(
    target: Target, buyers: Sequence[Buyer], seeds: dict[str, Seed], as_of_date: date
) -> Proposal:
    values = [(getattr(buyer, target.measure), buyer.net_revenue_12m) for buyer in buyers]
    now = _cuts_now(target, values, seeds, as_of_date)
    cuts = choose_cuts(target, values)
    (known,) = shares_between(values, ())
    return Proposal(
        target=target,
        known=known,
        cuts_now=now,
        shares_now=shares_between(values, now),
        cuts=cuts,
        shares=shares_between(values, cuts) if cuts else (),
    )


def _cuts_now(
    target: Target,
    values: Sequence[tuple[Decimal, Decimal]],
    seeds: dict[str, Seed],
    as_of_date: date,
) -> tuple[Decimal, ...]:
    if not _is_setting(target):
        return tuple(Decimal(row["lower_bound"]) for row in _bands(target, seeds, as_of_date)[1:])
    cut = _setting_now(target, seeds, as_of_date)
    return (_median([value for value, _ in values]) if cut is None else cut,)


def _is_setting(target: Target) -> bool:
    return target.dimension.endswith("_cut")


def _setting_now(target: Target, seeds: dict[str, Seed], as_of_date: date) -> Decimal | None:
    (row,) = (
        row
        for row in rules.rows_on(seeds["settings"], as_of_date)
        if row["setting"] == target.dimension
    )
    return Decimal(row["value"]) if row["value"] else None


def _bands(target: Target, seeds: dict[str, Seed], as_of_date: date) -> list[Row]:
    """Return the rows of a target's bands that hold, in the order of its codes."""
    rows = {
        row["code"]: row
        for row in rules.rows_on(seeds["bands"], as_of_date)
        if row["dimension"] == target.dimension
    }
    return [rows[code] for code in target.codes]


def _has_its_bands(target: Target, seeds: dict[str, Seed], as_of_date: date) -> bool:
    """Say whether the bands in force are those of a target; order_frequency has none beside."""
    if _is_setting(target):
        return True
    codes = {
        row["code"]
        for row in rules.rows_on(seeds["bands"], as_of_date)
        if row["dimension"] == target.dimension
    }
    return codes - {"none"} == set(target.codes)


def _is_sound(buyers: int, of: int) -> bool:
    return SMALLEST_SHARE <= buyers / of <= LARGEST_SHARE


def _reason(proposal: Proposal, place: int, as_of_date: date) -> str:
    """Say in words what a cut does, and among whom."""
    above = proposal.shares[place + 1 :]
    buyers = Share(
        sum(share.buyers for share in above),
        sum((share.net_revenue_12m for share in above), Decimal(0)),
    )
    percent, revenue = _percents(buyers, proposal.known)
    return (
        f"{percent}% of {proposal.known.buyers} buyers of 12 months to {as_of_date} reach it, "
        f"with {revenue}% of their revenue"
    )


def _percents(share: Share, of: Share) -> tuple[str, str]:
    money = 100 * share.net_revenue_12m / of.net_revenue_12m if of.net_revenue_12m else Decimal(0)
    return f"{100 * share.buyers / of.buyers:.1f}", f"{money:.1f}"


def _median(values: Sequence[Decimal]) -> Decimal:
    ranked = sorted(values)
    middle = len(ranked) // 2
    median = (ranked[middle] + ranked[-middle - 1]) / 2
    return median.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _text(value: Decimal) -> str:
    return f"{value.normalize():f}"
