"""Customers by hand: every code of every customer at any as-of, from plain facts.

Written from the definitions alone (sections named in the docstrings) and sharing no code with the
models. Money is whole cents; medians, rates and averages are fractions wherever a cut decides, and
only the variation of the gaps is a float, since it is a root and no cut stands on it.
"""

import datetime
import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.warehouse import online_retail_by_hand, shop_by_hand
from tests.warehouse.complete_journey import read_baskets, read_first_contacts
from tests.warehouse.online_retail_by_hand import Measures, OnlineRetail, half_away, is_within
from tests.warehouse.shop_by_hand import Shop, group_by_customer

Date = datetime.date
Moment = datetime.datetime
Row = dict[str, object]
Number = int | Fraction

QUARTER, HALF_YEAR, YEAR = 91, 182, 365
UNCOUNTED_TYPES = {"register", "campaign_activity"}
TICKETS = {"service_ticket", "complaint"}
SHORTEST_CYCLE = 30
FEWEST_CYCLES = 2
LONGEST_LIFE, FEWEST_OF_A_COHORT = 10, 30
REFERRALS_OF_FULL_MARKS = 3

# Lower bounds of the bands, best or longest last; half-open (sections 4 and 5).
ACTIVITY = ((0, "active"), (181, "silent"), (366, "lapsed"))
INTERACTION = ((0, "low"), (2, "mid"), (5, "high"))
CYCLE = ((0, "short"), (31, "mid"), (92, "long"))
# By value and potential, each high or not (section 4).
QUADRANTS = {
    (True, True): "star",
    (True, False): "cash",
    (False, True): "potential",
    (False, False): "low",
}
LOYALTY = ((0, "low"), (Fraction(1, 2), "mid"), (Fraction(4, 5), "high"))
# Lower bounds of the scores of method `threshold` (section 3); recency counts downwards.
R_CUTS, F_CUTS, M_CUTS = (31, 91, 181, 366), (2, 3, 4, 12), (300_00, 1_000_00, 3_000_00, 10_000_00)


def band(value: Number, bands: Sequence[tuple[Number, str]]) -> str:
    """Return the code of the last band whose lower bound is not above the value."""
    return [code for lower, code in bands if lower <= value][-1]


def exact_median(values: Sequence[Number]) -> Fraction:
    """Return the median, the mean of the middle two of an even number."""
    ordered, half = sorted(values), len(values) // 2
    return Fraction(ordered[half] + ordered[-1 - half]) / 2


# ---- Facts -------------------------------------------------------------------------------------


class Order(NamedTuple):
    """An accepted order of a customer; net in cents, void from `voided_on` on."""

    order_id: str
    customer_id: str
    at: Moment
    net: int
    voided_on: Date | None = None

    @property
    def day(self) -> Date:
        """Its business day; the business's time zone is UTC."""
        return self.at.date()

    def is_counted(self, as_of: Date) -> bool:
        """Say whether it counts as an order at the as-of (section 2)."""
        is_void = self.voided_on is not None and self.voided_on <= as_of
        return self.net > 0 and self.day <= as_of and not is_void


class Entry(NamedTuple):
    """A signed entry of the ledger, in cents; cost None where it is unknown."""

    customer_id: str
    day: Date
    net: int
    cost: int | None = None


class Interaction(NamedTuple):
    """An accepted interaction."""

    interaction_id: str
    customer_id: str
    source: str
    at: Moment
    kind: str
    score: Fraction | None = None
    resolved_at: Moment | None = None
    referred_customer_id: str | None = None

    @property
    def day(self) -> Date:
        """Its business day."""
        return self.at.date()

    def is_open(self, as_of: Date) -> bool:
        """Say whether it is a ticket or complaint not resolved by the as-of (B8)."""
        is_resolved = self.resolved_at is not None and self.resolved_at.date() <= as_of
        return self.kind in TICKETS and not is_resolved


class Known(NamedTuple):
    """A customer: its source, first dated event, and first activating event (L3)."""

    source: str
    since: Date | None
    activated_at: Moment | None = None


@dataclass(frozen=True)
class Facts:
    """Everything that the codes of customers follow from.

    Attributes:
        customers: whoever exists at the newest as-of, by id.
        orders: accepted orders of customers, counted or not.
        entries: ledger entries of customers.
        interactions: accepted interactions.
        newest: the newest as-of.
        oldest: day of the oldest accepted fact, of guests too.
    """

    customers: Mapping[str, Known]
    orders: Sequence[Order]
    entries: Sequence[Entry]
    interactions: Sequence[Interaction]
    newest: Date
    oldest: Date

    @cached_property
    def orders_of(self) -> dict[str, list[Order]]:
        """Orders of each customer that has one."""
        return group_by_customer(self.orders, lambda order: order.customer_id)

    @cached_property
    def entries_of(self) -> dict[str, list[Entry]]:
        """Entries of each customer that has one."""
        return group_by_customer(self.entries, lambda entry: entry.customer_id)

    def existing(self, as_of: Date) -> dict[str, Known]:
        """Return who exists at the as-of; without a dated event only at the newest (section 1)."""
        return {
            who: known
            for who, known in self.customers.items()
            if (as_of == self.newest if known.since is None else known.since <= as_of)
        }


# ---- Rhythm: order days, gaps, cycles (section 5) ------------------------------------------------


@dataclass(frozen=True)
class Rhythm:
    """The distinct order days of a customer, in order, and what is read from them."""

    days: Sequence[Date]

    @cached_property
    def gaps(self) -> list[int]:
        """Days between consecutive order days."""
        return [(later - earlier).days for earlier, later in pairwise(self.days)]

    @cached_property
    def median_gap(self) -> Fraction | None:
        """Median of the gaps, the mean of the middle two; None below two order days."""
        return exact_median(self.gaps) if self.gaps else None

    @cached_property
    def variation(self) -> float | None:
        """Sample standard deviation of the gaps over their mean; None below two gaps."""
        gaps = self.gaps
        if len(gaps) < 2:
            return None
        count, total = len(gaps), sum(gaps)
        squares = count * sum(gap**2 for gap in gaps) - total**2  # count^2 x their variance
        return math.sqrt(Fraction(squares * count, (count - 1) * total**2))

    def days_since(self, as_of: Date) -> int | None:
        """Days since the last order day."""
        return (as_of - self.days[-1]).days if self.days else None

    def repeat_rate(self, as_of: Date, cycle: Number) -> Fraction | None:
        """Share of the complete cycles by the as-of with an order day (B3).

        Cycle k is `first + k c < day <= first + (k + 1) c`; None below two complete ones.
        """
        if not self.days:
            return None
        complete = int((as_of - self.days[0]).days // cycle)
        if complete < FEWEST_CYCLES:
            return None
        over, under = Fraction(cycle).as_integer_ratio()
        held = {-(-(day - self.days[0]).days * under // over) - 1 for day in self.days[1:]}
        return Fraction(sum(number < complete for number in held), complete)

    def has_come_back(self, as_of: Date) -> bool:
        """Say whether an order of the last 90 days ended a gap beyond what is usual (L7)."""
        gaps = self.gaps
        for place, gap in enumerate(gaps):
            if gap > 180 and (as_of - self.days[place + 1]).days < 90:
                others = gaps[:place] + gaps[place + 1 :]
                if not others or gap > 2 * exact_median(others):
                    return True
        return False


@dataclass(frozen=True)
class Rhythms:
    """The rhythms of whoever has a counted order at an as-of, and what the population's tell.

    Attributes:
        by_customer: the rhythm of each.
        orders_to_date: counted orders of each.
        median_gap: median of the customers' medians, None where nobody has one.
    """

    by_customer: Mapping[str, Rhythm]
    orders_to_date: Mapping[str, int]
    median_gap: Fraction | None

    def of(self, who: str) -> Rhythm:
        """Return the rhythm of a customer, an empty one without an order."""
        return self.by_customer.get(who, Rhythm(()))


def rhythms(facts: Facts, as_of: Date) -> Rhythms:
    """Return the rhythms at the as-of."""
    counted = {
        who: [order.day for order in own if order.is_counted(as_of)]
        for who, own in facts.orders_of.items()
    }
    by_customer = {who: Rhythm(sorted(set(days))) for who, days in counted.items() if days}
    gaps = [each.median_gap for each in by_customer.values() if each.median_gap is not None]
    orders_to_date = Counter({who: len(days) for who, days in counted.items()})
    return Rhythms(by_customer, orders_to_date, exact_median(gaps) if gaps else None)


# ---- Interactions (section 5) --------------------------------------------------------------------


@dataclass
class Contact:
    """What a customer's interactions dated by the as-of say; see columns of the same names."""

    counted: int = 0
    csat: list[Fraction] = field(default_factory=list)
    nps: tuple[Moment, str, Fraction] | None = None
    last_survey_at: Moment | None = None
    open_tickets: int = 0
    referred: set[str] = field(default_factory=set)

    def add(self, each: Interaction, as_of: Date) -> None:
        """Take in one interaction dated by the as-of."""
        self.counted += each.kind not in UNCOUNTED_TYPES and is_within(each.day, as_of, QUARTER)
        self.open_tickets += each.is_open(as_of)
        if each.kind == "referral" and each.referred_customer_id:
            self.referred.add(each.referred_customer_id)
        if each.kind in ("csat", "nps"):
            self.last_survey_at = max(self.last_survey_at or each.at, each.at)
        if each.kind == "csat" and is_within(each.day, as_of, YEAR):
            self.csat.append(each.score)
        if each.kind == "nps":
            answer = (each.at, each.interaction_id, each.score)
            self.nps = answer if self.nps is None else max(self.nps, answer)


@dataclass(frozen=True)
class Contacts:
    """The contacts of all customers at an as-of, and what their sources feed.

    Attributes:
        by_customer: of whoever has an interaction.
        counting: sources with a counted interaction in the last 3 months.
        referring: sources with a referral.
    """

    by_customer: Mapping[str, Contact]
    counting: set[str]
    referring: set[str]


def contacts(interactions: Iterable[Interaction], as_of: Date) -> Contacts:
    """Return what interactions dated by the as-of say."""
    by_customer: dict[str, Contact] = defaultdict(Contact)
    counting, referring = set(), set()
    for each in interactions:
        if each.day > as_of:
            continue
        by_customer[each.customer_id].add(each, as_of)
        if each.kind not in UNCOUNTED_TYPES and is_within(each.day, as_of, QUARTER):
            counting.add(each.source)
        if each.kind == "referral":
            referring.add(each.source)
    return Contacts(by_customer, counting, referring)


def relationship_tier(interaction: str, csat: Fraction | None) -> str:
    """Loyal, neutral, distant; unknown if either is (B5)."""
    if interaction == "unknown" or csat is None:
        return "unknown"
    if interaction != "low" and csat >= 4:
        return "loyal"
    return "distant" if csat < 3 or (interaction == "low" and csat < 4) else "neutral"


# ---- The rows ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Customers:
    """Every customer at one as-of: the rows of the four tables by customer id."""

    as_of: Date
    rfm: dict[str, Row]
    rfm_by_threshold: dict[str, Row]
    value: dict[str, Row]
    engagement: dict[str, Row]
    lifecycle: dict[str, Row]

    @property
    def all_columns(self) -> dict[str, Row]:
        """The columns of all tables side by side, scores by method `quantile`."""
        tables = (self.rfm, self.value, self.engagement, self.lifecycle)
        return {who: {k: v for table in tables for k, v in table[who].items()} for who in self.rfm}


def measure(facts: Facts, existing: Iterable[str], as_of: Date) -> dict[str, Measures]:
    """Measure every customer by counted orders and ledger entries (sections 3 and 4)."""
    return {
        who: shop_by_hand.measure(
            facts.orders_of.get(who, []), facts.entries_of.get(who, []), as_of
        )
        for who in existing
    }


def threshold_rows(measures: Mapping[str, Measures], as_of: Date) -> dict[str, Row]:
    """Return the rows of `customer_rfm` by method `threshold`, for any number of buyers (M1)."""
    segments = online_retail_by_hand.rfm_map()
    rows = {}
    for who, each in measures.items():
        scores: tuple[int | None, ...] = (None, None, None)
        code, segment, headline, recency = None, "prospect", "prospect", None
        if each.last_order is not None:
            recency = (as_of - each.last_order).days
            scores = (1, 1, 1)
            if each.frequency > 0:
                scores = (
                    5 - bisect_right(R_CUTS, recency),
                    1 + bisect_right(F_CUTS, each.frequency),
                    1 + bisect_right(M_CUTS, each.monetary),
                )
            code = "".join(map(str, scores))
            segment, headline = segments[code]
        rows[who] = {
            "recency_days": recency,
            "frequency": each.frequency,
            "monetary": each.monetary,
            "r_score": scores[0],
            "f_score": scores[1],
            "m_score": scores[2],
            "rfm_code": code,
            "rfm_segment": segment,
            "headline_segment": headline,
        }
    return rows


def engagement_row(
    source: str,
    rhythm: Rhythm,
    orders_to_date: int,
    contact: Contact,
    fed: Contacts,
    value_tier: str | None,
    cycle: Number,
    as_of: Date,
) -> Row:
    """Return the row of `customer_engagement` of one customer (section 5)."""
    days_since = rhythm.days_since(as_of)
    activity = "no_order" if days_since is None else band(days_since, ACTIVITY)
    interactions_3m = contact.counted if source in fed.counting else None
    interaction = (
        "unknown" if interactions_3m is None else band(Fraction(interactions_3m, 3), INTERACTION)
    )
    repeat_rate = rhythm.repeat_rate(as_of, cycle)
    loyalty = "unknown" if repeat_rate is None else band(repeat_rate, LOYALTY)
    referral_part = (
        min(Fraction(1), Fraction(len(contact.referred), REFERRALS_OF_FULL_MARKS))
        if source in fed.referring
        else None
    )
    stability = 0.0 if rhythm.variation is None else 1 / (1 + rhythm.variation)
    parts = [part for part in (repeat_rate, referral_part, stability) if part is not None]
    csat = mean(contact.csat) if contact.csat else None
    is_quiet_value = value_tier == "high" and interaction == "low"
    return {
        "days_since_last_order": days_since,
        "activity_status": activity,
        "interactions_3m": interactions_3m,
        "interaction_band": interaction,
        "median_gap_days": rhythm.median_gap,
        "cycle_band": "unknown" if rhythm.median_gap is None else band(rhythm.median_gap, CYCLE),
        "repeat_rate": repeat_rate,
        "repeat_order_rate": Fraction(orders_to_date - 1, orders_to_date)
        if orders_to_date
        else None,
        "loyalty_band": loyalty,
        "csat_average_12m": csat,
        "nps_answer": None if contact.nps is None else contact.nps[2],
        "last_survey_at": contact.last_survey_at,
        "open_ticket_count": contact.open_tickets,
        "gap_variation": rhythm.variation,
        "loyalty_score": math.fsum(parts) / len(parts),
        "relationship_tier": relationship_tier(interaction, csat),
        "to_activate": is_quiet_value or (loyalty == "high" and activity == "silent"),
    }


def has_fallen(entries: Iterable[Entry], as_of: Date) -> bool:
    """Say whether net revenue of the last 6 months is half that of the 6 before, or less (L6)."""
    year = [entry for entry in entries if is_within(entry.day, as_of, YEAR)]
    later = sum(entry.net for entry in year if is_within(entry.day, as_of, HALF_YEAR))
    earlier = sum(entry.net for entry in year) - later
    return earlier > 0 and 2 * later <= earlier


def lifecycle_stage(
    rhythm: Rhythm,
    orders_to_date: int,
    entries: Iterable[Entry],
    population_median: Fraction | None,
    as_of: Date,
) -> str:
    """Return the first stage whose rule holds (section 6)."""
    since = rhythm.days_since(as_of)
    if since is None:
        return "acquisition"
    own = rhythm.median_gap
    if since > 365 or (own is not None and since > 180 and since > 3 * own):
        return "churned"
    if len(rhythm.days) == 1 and since < 90:
        return "new"
    if rhythm.has_come_back(as_of):
        return "reactivated"
    usual = own if own is not None else population_median
    if since > max(30, 3 * (usual or 0)) or has_fallen(entries, as_of):
        return "decline"
    if orders_to_date < 4 or (as_of - rhythm.days[0]).days < 180:
        return "growth"
    return "maturity"


def lifecycle_rows(facts: Facts, as_of: Date) -> dict[str, Row]:
    """Return the rows of `customer_lifecycle` (section 6)."""
    everybody = rhythms(facts, as_of)
    rows = {}
    for who, known in facts.existing(as_of).items():
        rhythm, orders = everybody.of(who), everybody.orders_to_date[who]
        entries = facts.entries_of.get(who, [])
        is_activated = known.activated_at is not None and known.activated_at.date() <= as_of
        rows[who] = {
            "lifecycle_stage": lifecycle_stage(
                rhythm, orders, entries, everybody.median_gap, as_of
            ),
            "activated_at": known.activated_at if is_activated else None,
            "tenure_days": (as_of - rhythm.days[0]).days if rhythm.days else None,
            "orders_to_date": orders,
            "median_gap_days": rhythm.median_gap,
            "gap_variation": rhythm.variation,
        }
    return rows


def stages(facts: Facts, as_of: Date) -> dict[str, str]:
    """Return the lifecycle stage of every customer."""
    return {who: row["lifecycle_stage"] for who, row in lifecycle_rows(facts, as_of).items()}


def engagement_rows(facts: Facts, tiers: Mapping[str, str | None], as_of: Date) -> dict[str, Row]:
    """Return the rows of `customer_engagement`, given the value tiers (section 5)."""
    everybody, fed = rhythms(facts, as_of), contacts(facts.interactions, as_of)
    cycle = max(SHORTEST_CYCLE, everybody.median_gap or 0)
    return {
        who: engagement_row(
            known.source,
            everybody.of(who),
            everybody.orders_to_date[who],
            fed.by_customer.get(who, Contact()),
            fed,
            tiers[who],
            cycle,
            as_of,
        )
        for who, known in facts.existing(as_of).items()
    }


# ---- The CLV formula (section 7) -----------------------------------------------------------------


def yearly_churn(order_days: Iterable[Sequence[Date]], as_of: Date) -> Fraction | None:
    """Return the share of last year's buyers who stayed away this year; None of too few."""
    a_year_ago = as_of - datetime.timedelta(YEAR)
    before = [days for days in order_days if any(is_within(d, a_year_ago, YEAR) for d in days)]
    if len(before) < FEWEST_OF_A_COHORT:
        return None
    gone = [days for days in before if not any(is_within(day, as_of, YEAR) for day in days)]
    return Fraction(len(gone), len(before))


def formula_rows(facts: Facts, as_of: Date) -> dict[str, Row]:
    """Return history and formula of every customer; money in cents."""
    days_of = {
        who: sorted(order.day for order in own if order.is_counted(as_of))
        for who, own in facts.orders_of.items()
    }
    cohorts: dict[int, list[list[Date]]] = defaultdict(list)
    for days in filter(None, days_of.values()):
        cohorts[days[0].year].append(days)
    churns = {year: yearly_churn(members, as_of) for year, members in cohorts.items()}
    population = yearly_churn(days_of.values(), as_of)
    is_deep = facts.oldest <= as_of - datetime.timedelta(2 * YEAR - 1)
    rows = {}
    for who in facts.existing(as_of):
        days = days_of.get(who) or []
        known = [entry for entry in facts.entries_of.get(who, []) if entry.day <= as_of]
        covered = [entry for entry in known if entry.cost is not None]
        revenue = sum(entry.net for entry in known)
        average = rate = churn = cohort = life = value = None
        if days:
            average = Fraction(revenue, len(days))
            rate = Fraction(len(days) * YEAR, max(YEAR, (as_of - days[0]).days))
        if days and is_deep:
            cohort, churn = str(days[0].year), churns[days[0].year]
            if churn is None:
                cohort, churn = "population", population
        if churn is None:
            cohort = None
        else:
            life = min(Fraction(LONGEST_LIFE), 1 / churn) if churn else Fraction(LONGEST_LIFE)
            value = half_away(average * rate * life)
        rows[who] = {
            "clv_historic_revenue": revenue,
            "clv_historic_margin": sum(e.net - e.cost for e in covered) if covered else None,
            "average_order_value": None if average is None else half_away(average),
            "orders_per_year": rate,
            "expected_years": life,
            "yearly_churn": churn,
            "churn_cohort": cohort,
            "clv_formula": value,
        }
    return rows


def compute(facts: Facts, as_of: Date) -> Customers:
    """Return every customer that exists at the as-of."""
    measures = measure(facts, facts.existing(as_of), as_of)
    value = online_retail_by_hand.value_rows(measures)
    tiers = {who: row["value_tier"] for who, row in value.items()}
    return Customers(
        as_of=as_of,
        rfm=online_retail_by_hand.rfm_rows(measures, as_of),
        rfm_by_threshold=threshold_rows(measures, as_of),
        value=value,
        engagement=engagement_rows(facts, tiers, as_of),
        lifecycle=lifecycle_rows(facts, as_of),
    )


def forecast_rows(customers: Customers, predicted: Mapping[str, int | None]) -> dict[str, Row]:
    """Return what rests on the forecast, given the forecast in cents (sections 4 and 9).

    Potential, quadrant, the composite score with its parts in hundredths, and the service tier.
    """
    buyers = [who for who, row in customers.lifecycle.items() if row["orders_to_date"]]
    recent = [who for who in buyers if customers.value[who]["orders_12m"]]
    revenue = {who: customers.value[who]["net_revenue_12m"] for who in buyers}
    promised = {who: predicted[who] for who in buyers if predicted[who] is not None}
    value_cut = exact_median([revenue[who] for who in recent]) if recent else None
    known = [promised[who] for who in recent if who in promised]
    potential_cut = exact_median(known) if known else None
    ranked = {
        "spend": (40, revenue),
        "frequency": (20, {who: customers.value[who]["orders_12m"] for who in buyers}),
        "potential": (20, promised),
    }
    below = {
        part: {who: bisect_left(sorted(figures.values()), each) for who, each in figures.items()}
        for part, (_, figures) in ranked.items()
    }
    rows = {}
    for who in customers.lifecycle:
        value, loyalty = customers.value[who], customers.engagement[who]
        potential = quadrant = None
        parts: Row = dict.fromkeys((*ranked, "loyalty"))
        if who in revenue:
            high = value_cut is not None and revenue[who] >= value_cut
            potential = quadrant = "unknown"
            if who in promised and potential_cut is not None:
                potential = "high" if promised[who] >= potential_cut else "low"
                quadrant = QUADRANTS[high, potential == "high"]
            for part, (weight, figures) in ranked.items():
                share = Fraction(below[part].get(who, 0), len(buyers))
                parts[part] = half_away(100 * weight * share) if who in figures else 0
            score = loyalty["loyalty_score"]
            parts["loyalty"] = 0 if score is None else half_away(Fraction(score) * 2000)
        is_best = value["value_tier"] == "high" and value["margin_band"] != "low"
        if is_best and loyalty["loyalty_band"] == "high":
            tier = "high"
        elif value["value_tier"] in ("high", "mid") or potential == "high":
            tier = "mid"
        else:
            tier = "low"
        rows[who] = {
            "potential_band": potential,
            "value_potential_quadrant": quadrant,
            **{f"composite_{part}": hundredths for part, hundredths in parts.items()},
            "composite_score": sum(parts.values()) if who in revenue else None,
            "service_tier": tier,
        }
    return rows


def transitions(by_month_end: Mapping[Date, Mapping[str, str]]) -> dict[tuple[Date, str], Row]:
    """Return each change of stage between consecutive month-ends (section 6).

    `by_month_end` maps every month-end to the stages of who existed. Days in the former stage run
    from the first month-end of its unbroken run to the month-end at which the stage differs.
    """
    rows: dict[tuple[Date, str], Row] = {}
    since: dict[str, Date] = {}
    before: Mapping[str, str] = {}
    for day in sorted(by_month_end):
        for who, stage in by_month_end[day].items():
            if who not in before:
                since[who] = day
            elif before[who] != stage:
                rows[day, who] = {
                    "from_stage": before[who],
                    "to_stage": stage,
                    "days_in_former_stage": (day - since[who]).days,
                }
                since[who] = day
        before = by_month_end[day]
    return rows


# ---- Facts of the data sets ----------------------------------------------------------------------


def facts_of_shop(shop: Shop) -> Facts:
    """Return the facts of a shop's landing files."""

    def optional(record: Mapping[str, str], name: str, make: Callable[[str], object]) -> object:
        return make(record[name]) if record.get(name) else None

    def named(name: str) -> str:
        return f"shop:{name}"

    return Facts(
        customers={
            named(who): Known("shop", each.known_since, each.activated_at)
            for who, each in shop.customers.items()
        },
        orders=[
            Order(each.order_id, named(each.customer_id), each.at, each.net, each.voided_on)
            for each in shop.orders.values()
            if each.customer_id
        ],
        entries=[
            Entry(named(each.customer_id), each.day, each.net, each.cost)
            for each in shop.ledger
            if each.customer_id
        ],
        interactions=[
            Interaction(
                named(record["interaction_id"]),
                named(record["customer_id"]),
                "shop",
                Moment.fromisoformat(record["occurred_at"]),
                record["interaction_type"],
                optional(record, "score", Fraction),
                optional(record, "resolved_at", Moment.fromisoformat),
                optional(record, "referred_customer_id", named),
            )
            for record in shop.interactions
        ],
        newest=shop.as_of,
        oldest=min(
            *(each.at.date() for each in shop.orders.values()),
            *(each.day for each in shop.ledger),
            *(Moment.fromisoformat(record["occurred_at"]).date() for record in shop.interactions),
        ),
    )


def facts_of_online_retail(computed: OnlineRetail) -> Facts:
    """Return the facts of the Online Retail II file, which gives London's time and no customers."""
    london = ZoneInfo("Europe/London")

    def in_utc(at: Moment) -> Moment:
        return at.replace(tzinfo=london).astimezone(datetime.UTC).replace(tzinfo=None)

    orders = [
        Order(row.Index, row.customer_id, in_utc(row.at.to_pydatetime()), row.net, void)
        for row in computed.orders.dropna(subset="customer_id").itertuples()
        for void in [row.voided_on if isinstance(row.voided_on, Date) else None]
    ]
    ledger = computed.ledger.groupby(["customer_id", "day"])["cents"].sum()
    entries = [Entry(who, day, int(cents)) for (who, day), cents in ledger.items()]
    activated: dict[str, Moment] = {}
    since: dict[str, Date] = {}
    for order in orders:
        activated[order.customer_id] = min(activated.get(order.customer_id, order.at), order.at)
    for who, day in [*((o.customer_id, o.day) for o in orders), *((e[0], e[1]) for e in entries)]:
        since[who] = min(since.get(who, day), day)
    customers = {who: Known("online_retail", day, activated.get(who)) for who, day in since.items()}
    oldest = min(computed.orders["day"].min(), computed.ledger["day"].min())
    return Facts(customers, orders, entries, [], computed.as_of, oldest)


def facts_of_complete_journey(folder: Path) -> Facts:
    """Return the facts of the Complete Journey, whose campaigns may know a household before."""
    baskets = read_baskets(folder)
    orders = [
        Order(f"shop:{each.basket_id}", f"shop:{each.household_id}", each.at, each.net)
        for each in baskets
    ]
    first: dict[str, Moment] = {}
    for order in orders:
        first[order.customer_id] = min(first.get(order.customer_id, order.at), order.at)
    contacted = read_first_contacts(folder)
    customers = {
        who: Known("shop", min(at, contacted.get(who.removeprefix("shop:"), at)).date(), at)
        for who, at in first.items()
    }
    entries = [Entry(each.customer_id, each.day, each.net) for each in orders]
    days = [each.day for each in orders]
    return Facts(customers, orders, entries, [], max(days), min(days))
