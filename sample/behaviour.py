"""How customers of the sample shop buy: in a world that BG/NBD assumes, and in one it does not.

Types are numbered: 0 consumer, 1 business. Time is counted in days since the first day of the
shop's first month; rates are per week.
"""

from dataclasses import asdict, dataclass
from datetime import date

import numpy as np

TYPES = ("consumer", "business")
BUSINESS_SHARE = 0.25
PROSPECT_SHARE = 0.08
GROWTH = 1.0  # new customers a day at the end: 1 + GROWTH times those at the start


@dataclass(frozen=True)
class BgNbd:
    """Buying of one type: rate ~ Gamma(r, alpha) a week, dropout ~ Beta(a, b) after a repeat order.

    Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way: the first order starts
    the clock and nobody drops out at it.
    """

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True)
class Regular:
    """Buying of one type with even gaps and wear: what BG/NBD does not assume.

    Gaps are Erlang(`shape`) with a mean of 1 / rate weeks in seasonal time, rate ~ Gamma(r, alpha).
    A share `bounce` never comes back; the others stay for Weibull(`wear`, `scale_weeks`).
    """

    r: float
    alpha: float
    shape: int
    bounce: float
    wear: float
    scale_weeks: float


@dataclass(frozen=True)
class Spend:
    """Order value in CNY of one type: Gamma(p, nu), nu ~ Gamma(q, v); mean order p v / (q - 1).

    Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value.
    """

    p: float
    q: float
    v: float


BGNBD = (BgNbd(r=0.65, alpha=5.8, a=0.7, b=4.5), BgNbd(r=1.4, alpha=5.8, a=0.6, b=7.0))
REGULAR = (
    Regular(r=3.0, alpha=36.0, shape=8, bounce=0.22, wear=1.7, scale_weeks=105.0),
    Regular(r=4.0, alpha=22.0, shape=10, bounce=0.10, wear=1.9, scale_weeks=150.0),
)
SPEND = (Spend(p=4.0, q=3.6, v=425.0), Spend(p=3.5, q=3.6, v=1550.0))

# January to December; the peak in November and December, the dip in February.
SEASON = (0.95, 0.50, 0.85, 0.90, 1.00, 1.10, 0.85, 0.80, 0.95, 1.00, 1.65, 1.45)
# Monday to Sunday, consumers and businesses.
WEEKDAYS = ((0.85, 0.80, 0.85, 0.90, 1.10, 1.30, 1.20), (1.30, 1.30, 1.25, 1.20, 1.15, 0.50, 0.30))
# Share of the history at which list prices rise, and by how much.
PRICE_CHANGES = ((0.35, 1.06), (0.70, 1.05))


@dataclass(frozen=True)
class Calendar:
    """The days that the shop's files cover.

    Attributes:
        start: first day of the first month.
        end: last day.
        days: number of days.
        month_starts: day number on which each month begins, then `days`, shape (months + 1,).
        month_names: `2024-01` and so on, one per month.
        seasonal: whether demand follows season and weekday.
    """

    start: date
    end: date
    days: int
    month_starts: np.ndarray
    month_names: tuple[str, ...]
    seasonal: bool

    @property
    def epoch(self) -> int:
        """Days from 1970-01-01 to the first day."""
        return (self.start - date(1970, 1, 1)).days

    def demand(self, customer_type: int) -> np.ndarray:
        """Return the demand of each day, mean 1 in a full year where seasonal, shape (days,)."""
        if not self.seasonal:
            return np.ones(self.days)
        days = np.datetime64(self.start) + np.arange(self.days)
        months = days.astype("datetime64[M]").astype(np.int64) % 12
        weekdays = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        season = np.array(SEASON) / np.mean(SEASON)
        week = np.array(WEEKDAYS[customer_type])
        return season[months] * (week / week.mean())[weekdays]

    def price_level(self) -> np.ndarray:
        """Return the level of list prices on each day, 1 at the start, shape (days,)."""
        level = np.ones(self.days)
        if self.seasonal:
            for share, factor in PRICE_CHANGES:
                level[int(self.days * share) :] *= factor
        return level


def build_calendar(end: date, months: int, seasonal: bool) -> Calendar:
    """Return the calendar of `months` calendar months, the last one being that of `end`."""
    last = np.datetime64(end, "M")
    firsts = last - np.arange(months - 1, -1, -1)
    start = firsts[0].astype("datetime64[D]").item()
    days = (end - start).days + 1
    offsets = (firsts.astype("datetime64[D]") - np.datetime64(start)).astype(np.int64)
    return Calendar(
        start=start,
        end=end,
        days=days,
        month_starts=np.append(offsets, days),
        month_names=tuple(str(month) for month in firsts),
        seasonal=seasonal,
    )


@dataclass(frozen=True)
class Population:
    """The customers of one block in order of registration, shape (n,) each.

    Attributes:
        kind: 0 consumer, 1 business.
        is_prospect: registered, never orders.
        acquired: day of the first order, of a prospect of the registration, with its fraction.
        rate: orders a week while alive (in seasonal time where the shop is seasonal).
        dropout: probability of leaving after a repeat order; nan where the shop is seasonal.
        lifetime: days from the first order to leaving, nan under BG/NBD.
        mean_order: the customer's own mean order value, CNY at the first price level.
        gone: day of leaving; infinite where alive on the last day.
    """

    kind: np.ndarray
    is_prospect: np.ndarray
    acquired: np.ndarray
    rate: np.ndarray
    dropout: np.ndarray
    lifetime: np.ndarray
    mean_order: np.ndarray
    gone: np.ndarray

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.kind)


@dataclass(frozen=True)
class Purchases:
    """Orders of the planted process, shape (orders,) each, by customer and time.

    Attributes:
        owner: index of the customer.
        day: day number.
        value: order value aimed at, CNY.
    """

    owner: np.ndarray
    day: np.ndarray
    value: np.ndarray


def simulate(
    rng: np.random.Generator, calendar: Calendar, size: int, first_is_buyer: bool
) -> tuple[Population, Purchases]:
    """Draw `size` customers and their orders up to the end of the calendar.

    `first_is_buyer` makes one customer a buyer, so that the smallest shop has an order.
    """
    kind = (rng.random(size) < BUSINESS_SHARE).astype(np.int64)
    acquired = _acquire(rng, calendar, kind)
    by_time = np.argsort(acquired, kind="stable")
    kind, acquired = kind[by_time], acquired[by_time]
    is_prospect = rng.random(size) < PROSPECT_SHARE
    if first_is_buyer:
        is_prospect[0] = False
    if calendar.seasonal:
        rate, lifetime, owner, moment, gone = _regular(rng, calendar, kind, acquired, is_prospect)
        dropout = np.full(size, np.nan)
    else:
        rate, dropout, owner, moment, gone = _bgnbd(rng, calendar, kind, acquired, is_prospect)
        lifetime = np.full(size, np.nan)
    p, q, v = (_by_type([getattr(spend, name) for spend in SPEND], kind) for name in "pqv")
    nu = rng.gamma(q, 1 / v)
    day = np.minimum(moment.astype(np.int64), calendar.days - 1)
    value = rng.gamma(p[owner], 1 / nu[owner]) * calendar.price_level()[day]
    population = Population(kind, is_prospect, acquired, rate, dropout, lifetime, p / nu, gone)
    return population, Purchases(owner, day, value)


def expected_repeats(parameters: BgNbd, weeks: np.ndarray, steps: int = 2000) -> np.ndarray:
    """Return E[X(t)], the mean number of repeat orders in `weeks` after the first, same shape.

    Given rate and dropout p it is (1 - exp(-rate p t)) / p (Fader, Hardie and Lee 2005, eq. 7);
    the gamma integral is closed, the beta one is a midpoint sum over u = p**a, which removes the
    singularity at p = 0. No simulation and no hypergeometric function.
    """
    a, b = parameters.a, parameters.b
    p = np.maximum(((np.arange(steps) + 0.5) / steps) ** (1 / a), 1e-300)
    weight = (1 - p) ** (b - 1)
    weight /= weight.sum()
    t = np.asarray(weeks, dtype=float)[..., None]
    # 1 - (alpha / (alpha + p t))**r without loss where p is tiny.
    inner = -np.expm1(-parameters.r * np.log1p(p * t / parameters.alpha)) / p
    return inner @ weight


def planted_parameters(seasonal: bool) -> dict[str, dict[str, float]]:
    """Return the parameters of each customer type as plain numbers."""
    buying = REGULAR if seasonal else BGNBD
    return {
        name: asdict(buying[kind]) | {f"spend_{k}": v for k, v in asdict(SPEND[kind]).items()}
        for kind, name in enumerate(TYPES)
    }


def _by_type(values: list[float], kind: np.ndarray) -> np.ndarray:
    return np.asarray(values)[kind]


def _acquire(rng: np.random.Generator, calendar: Calendar, kind: np.ndarray) -> np.ndarray:
    """Draw the days of acquisition: growing, and seasonal where the shop is."""
    days = calendar.days
    growing = 1 + GROWTH * (np.arange(days) + 0.5) / days
    uniform = rng.random(len(kind))
    drawn = np.empty(len(kind))
    for customer_type in (0, 1):
        reached = np.append(0.0, np.cumsum(growing * calendar.demand(customer_type)))
        mine = kind == customer_type
        drawn[mine] = np.interp(uniform[mine] * reached[-1], reached, np.arange(days + 1.0))
    return np.minimum(drawn, np.nextafter(days, 0))


def _bgnbd(
    rng: np.random.Generator,
    calendar: Calendar,
    kind: np.ndarray,
    acquired: np.ndarray,
    is_prospect: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    r, alpha, a, b = (
        _by_type([getattr(each, name) for each in BGNBD], kind) for name in ("r", "alpha", "a", "b")
    )
    rate = rng.gamma(r, 1 / alpha)
    dropout = np.clip(rng.beta(a, b), 1e-9, 1.0)
    # Given their number, the moments of a Poisson process are uniform; the first `stays` are kept.
    exposure = calendar.days - acquired
    possible = rng.poisson(rate * exposure / 7) * ~is_prospect
    stays = rng.geometric(dropout)
    owner = np.repeat(np.arange(len(kind)), possible)
    moment = np.sort(owner + rng.random(len(owner))) - owner
    moment = acquired[owner] + np.clip(moment, 0, 1) * exposure[owner]
    rank = _rank(possible)
    is_last = rank == stays[owner] - 1
    gone = np.full(len(kind), np.inf)
    gone[owner[is_last]] = moment[is_last]
    kept = rank < stays[owner]
    owner, moment = _with_first(owner[kept], moment[kept], acquired, is_prospect)
    return rate, dropout, owner, moment, gone


def _regular(
    rng: np.random.Generator,
    calendar: Calendar,
    kind: np.ndarray,
    acquired: np.ndarray,
    is_prospect: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    size = len(kind)
    field = {
        name: _by_type([getattr(each, name) for each in REGULAR], kind)
        for name in ("r", "alpha", "shape", "bounce", "wear", "scale_weeks")
    }
    rate = rng.gamma(field["r"], 1 / field["alpha"])
    lifetime = 7 * field["scale_weeks"] * rng.weibull(field["wear"])
    lifetime[rng.random(size) < field["bounce"]] = 0.0
    # Seasonal time runs with demand: even gaps there bunch up in the high season here.
    edges = np.arange(calendar.days + 1.0)
    clocks = [np.append(0.0, np.cumsum(calendar.demand(each))) for each in (0, 1)]
    first = np.where(
        kind == 1, np.interp(acquired, edges, clocks[1]), np.interp(acquired, edges, clocks[0])
    )
    left = np.array([clock[-1] for clock in clocks])[kind] - first
    mean_gap = 7 / rate
    # Enough gaps that their sum reaches the end: six standard deviations and a few.
    reach = left / mean_gap
    gaps = (reach + 6 * np.sqrt(reach / field["shape"] + 1) + 2).astype(np.int64)
    gaps[is_prospect | (lifetime == 0)] = 0
    owner = np.repeat(np.arange(size), gaps)
    shape = field["shape"][owner]
    sums = np.cumsum(rng.standard_gamma(shape) * (mean_gap[owner] / shape))
    before = np.append(0.0, sums)[np.cumsum(gaps) - gaps]
    clock_time = first[owner] + sums - before[owner]
    moment = np.where(
        kind[owner] == 1,
        np.interp(clock_time, clocks[1], edges, right=np.inf),
        np.interp(clock_time, clocks[0], edges, right=np.inf),
    )
    leaves = acquired + lifetime
    kept = (moment < calendar.days) & (moment <= leaves[owner])
    gone = np.where(leaves < calendar.days, leaves, np.inf)
    owner, moment = _with_first(owner[kept], moment[kept], acquired, is_prospect)
    return rate, lifetime, owner, moment, gone


def _rank(counts: np.ndarray) -> np.ndarray:
    """Return 0, 1, ... within each group of the given sizes."""
    starts = np.cumsum(counts) - counts
    return np.arange(counts.sum()) - np.repeat(starts, counts)


def _with_first(
    owner: np.ndarray, moment: np.ndarray, acquired: np.ndarray, is_prospect: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Put each buyer's first order before the repeats, which are sorted by customer and time."""
    buyers = np.flatnonzero(~is_prospect)
    owner = np.concatenate([buyers, owner])
    moment = np.concatenate([acquired[buyers], moment])
    order = np.argsort(owner, kind="stable")
    return owner[order], moment[order]
