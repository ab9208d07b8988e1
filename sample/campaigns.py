"""Campaigns with random arms, and the lift planted in them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sample.behaviour import SPEND, Calendar, Population, Purchases
from sample.customers import DAY, customer_ids
from sample.files import decimals, identifiers, pick, timestamps

RESPONSE_DAYS = 30  # a response is an order on days 1 to 30 after contact
CONTACT_DAYS = 3  # contacts go out on the first days of a campaign
REACH = 0.4  # share of the buyers so far who are drawn into a campaign
LIFTS = (0.05, 0.08, 0.04, 0.06)
CONTROL_SHARES = (0.5, 0.2)
KINDS = ("email", "coupon", "sms", "wechat")
THEMES = ("Spring Selection", "Summer Offers", "Autumn Renewal", "Year-End Thanks")
ARMS = ("control", "treatment")


@dataclass(frozen=True)
class Campaign:
    """One campaign: its number, its first day, and what is planted in it."""

    number: int
    start_day: int
    name: str
    kind: str
    control_share: float
    lift: float


@dataclass(frozen=True)
class Contacts:
    """Customers drawn into a campaign, shape (contacts,) each.

    Attributes:
        campaign: number of the campaign.
        owner: index of the customer.
        second: moment of contact, seconds since the first day.
        treated: whether in the treatment arm.
        responded: whether an order was added.
    """

    campaign: np.ndarray
    owner: np.ndarray
    second: np.ndarray
    treated: np.ndarray
    responded: np.ndarray


def plan_campaigns(calendar: Calendar) -> tuple[Campaign, ...]:
    """Return one campaign per quarter, each with its whole response window before the end.

    They are 90 days apart, so that no response window meets the next campaign's.
    """
    months = np.datetime64(calendar.start, "M") + np.arange(len(calendar.month_names))
    plan = []
    for month, first_day in zip(months, calendar.month_starts[:-1], strict=True):
        year, number = divmod(int(month.astype(np.int64)), 12)
        start = int(first_day) + 9
        fits = start + CONTACT_DAYS + RESPONSE_DAYS <= calendar.days
        if number % 3 != 1 or not fits:  # February, May, August, November
            continue
        index = len(plan)
        plan.append(
            Campaign(
                number=index,
                start_day=start,
                name=f"{THEMES[number // 3]} {1970 + year}",
                kind=KINDS[index % len(KINDS)],
                control_share=CONTROL_SHARES[index % len(CONTROL_SHARES)],
                lift=LIFTS[index % len(LIFTS)],
            )
        )
    return tuple(plan)


def run_campaigns(
    rng: np.random.Generator,
    plan: tuple[Campaign, ...],
    population: Population,
    purchases: Purchases,
) -> tuple[Contacts, Purchases]:
    """Draw contacts and arms, and add the orders that make the planted lift true.

    Among the treated without an order of their own in the window, one is added with probability
    lift / (share without), so the probability of an order rises by `lift` in absolute terms.
    """
    parts, added = [], []
    spread = np.array([spend.p for spend in SPEND])
    for campaign in plan:
        day = campaign.start_day + rng.integers(0, CONTACT_DAYS, len(population))
        known = ~population.is_prospect & (population.acquired < campaign.start_day)
        drawn = known & (rng.random(len(population)) < REACH)
        treated = rng.random(len(population)) >= campaign.control_share
        lag = purchases.day - day[purchases.owner]
        buys = np.zeros(len(population), dtype=bool)
        buys[purchases.owner[(lag >= 1) & (lag <= RESPONSE_DAYS)]] = True
        open_to_it = drawn & treated & ~buys
        share = open_to_it.sum() / max((drawn & treated).sum(), 1)
        chance = min(1.0, campaign.lift / share) if share > 0 else 0.0
        responded = open_to_it & (rng.random(len(population)) < chance)
        # People respond soon or not at all: days lean to the start of the window.
        after = 1 + (RESPONSE_DAYS * rng.random(len(population)) ** 2).astype(np.int64)
        clock = rng.integers(9 * 3600, 11 * 3600, len(population))
        owner = np.flatnonzero(drawn)
        parts.append(
            (
                np.full(len(owner), campaign.number),
                owner,
                (day * DAY + clock)[owner],
                treated[owner],
                responded[owner],
            )
        )
        who = np.flatnonzero(responded)
        p = spread[population.kind[who]]
        added.append((who, (day + after)[who], rng.gamma(p, population.mean_order[who] / p)))
    contacts = Contacts(*_stack(parts, (np.int64, np.int64, np.int64, bool, bool)))
    return contacts, Purchases(*_stack(added, (np.int64, np.int64, np.float64)))


def campaigns_table(plan: tuple[Campaign, ...], calendar: Calendar, customers: int) -> pa.Table:
    """Return the campaigns feed; the cost grows with the number of customers."""
    start = np.array([campaign.start_day for campaign in plan], dtype=np.int64)
    zero = calendar.epoch * DAY
    return pa.table(
        {
            "campaign_id": campaign_ids(np.arange(len(plan))),
            "campaign_name": pa.array([campaign.name for campaign in plan], pa.string()),
            "kind": pa.array([campaign.kind for campaign in plan], pa.string()),
            "started_at": timestamps(zero + start * DAY + 8 * 3600),
            "ended_at": timestamps(zero + (start + RESPONSE_DAYS) * DAY),
            "cost": decimals(np.full(len(plan), 50_000 + 60 * customers), 2),
        }
    )


def contacts_table(contacts: Contacts, calendar: Calendar, first_number: int) -> pa.Table:
    """Return the campaign_contacts feed of one block."""
    return pa.table(
        {
            "campaign_id": campaign_ids(contacts.campaign),
            "customer_id": customer_ids(first_number + contacts.owner),
            "arm": pick(ARMS, contacts.treated.astype(np.int64)),
            "contacted_at": timestamps(calendar.epoch * DAY + contacts.second),
        }
    )


def campaign_ids(numbers: np.ndarray) -> pa.Array:
    """Return campaign ids from running numbers (from 0), null where negative."""
    return identifiers("CMP", np.asarray(numbers) + 1, 3, np.asarray(numbers) >= 0)


def _stack(parts: list[tuple[np.ndarray, ...]], kinds: tuple[type, ...]) -> list[np.ndarray]:
    """Concatenate the parts field by field; empty arrays of the right type where there are none."""
    return [
        np.concatenate([np.empty(0, kind), *(part[i] for part in parts)]).astype(kind)
        for i, kind in enumerate(kinds)
    ]
