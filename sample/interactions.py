"""What customers do beside ordering: visits, questions, complaints, surveys, referrals."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa

from sample import catalogue
from sample.behaviour import Calendar, Population
from sample.campaigns import Contacts, campaign_ids
from sample.customers import DAY, Registration, Traits, customer_ids
from sample.files import decimals, identifiers, pick, timestamps
from sample.orders import COMPLETED, Lines, Orders, product_ids

INTERACTION_STRIDE = 100_000_000  # interaction numbers kept free for one block of customers
KINDS = (
    "register",
    "login",
    "verify",
    "visit",
    "consultation",
    "campaign_activity",
    "service_ticket",
    "complaint",
    "csat",
    "nps",
    "review",
    "referral",
)
(
    REGISTER,
    LOGIN,
    VERIFY,
    VISIT,
    CONSULTATION,
    CAMPAIGN,
    TICKET,
    COMPLAINT,
    CSAT,
    NPS,
    REVIEW,
    REFERRAL,
) = range(12)
# Of a customer's own doing while active: login, visit, consultation, ticket.
BROWSING = np.array([0.44, 0.36, 0.14, 0.06])
BROWSING_KINDS = np.array([LOGIN, VISIT, CONSULTATION, TICKET])
QUIET_RATE = 0.08  # interactions a month after a customer has left
CSAT_SHARE, COMPLAINT_SHARE, REVIEW_SHARE = 0.13, 0.018, 0.04
MENDED_SHARE = 0.82
NPS_EVERY_DAYS, NPS_SHARE = 91, 0.09


@dataclass(frozen=True)
class Events:
    """Interactions of one block, shape (events,) each; -1 where a field does not apply.

    `second`, `first_response` and `resolved` are seconds since the first day; `channel` and `topic`
    index the words of the catalogue; `order` is a position, `referred` and `owner` are customers.
    """

    owner: np.ndarray
    second: np.ndarray
    kind: np.ndarray
    channel: np.ndarray
    topic: np.ndarray
    campaign: np.ndarray
    order: np.ndarray
    score: np.ndarray
    first_response: np.ndarray
    resolved: np.ndarray
    referred: np.ndarray

    def __len__(self) -> int:
        """Return the number of interactions."""
        return len(self.owner)


def build_events(
    rng: np.random.Generator,
    calendar: Calendar,
    population: Population,
    traits: Traits,
    registration: Registration,
    orders: Orders,
    contacts: Contacts,
) -> Events:
    """Draw every interaction of the block, none after the last day, in order of time."""
    last = calendar.days * DAY - 1
    complaints = _complaints(rng, traits, orders)
    parts = [
        _registrations(rng, registration),
        _browsing(rng, calendar, population, traits, registration),
        _after_orders(rng, traits, orders),
        complaints,
        _surveys_after_complaints(rng, complaints, last),
        _nps(rng, calendar, population, traits),
        _campaign_activity(rng, contacts),
        _referrals(traits, registration),
    ]
    events = Events(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Events))
    )
    events = _take(events, events.second <= last)
    # What had not happened by the last day is not known.
    events = replace(
        events,
        first_response=np.where(events.first_response > last, -1, events.first_response),
        resolved=np.where(events.resolved > last, -1, events.resolved),
    )
    return _take(events, np.argsort(events.second, kind="stable"))


def _events(owner: np.ndarray, second: np.ndarray, **known: np.ndarray | int) -> Events:
    """Return events with -1 in every field that is not given."""
    size = len(owner)
    columns = {field.name: np.full(size, -1) for field in fields(Events)}
    given = {name: np.broadcast_to(value, size) for name, value in known.items()}
    return Events(**(columns | given | {"owner": owner, "second": second}))


def _take(events: Events, rows: np.ndarray) -> Events:
    return Events(**{name: part[rows] for name, part in vars(events).items()})


def _registrations(rng: np.random.Generator, registration: Registration) -> Events:
    size = len(registration.registered)
    verified = np.flatnonzero(registration.verified >= 0)
    owner = np.concatenate([np.arange(size), verified])
    return _events(
        owner,
        np.concatenate([registration.registered, registration.verified[verified]]),
        kind=np.concatenate([np.full(size, REGISTER), np.full(len(verified), VERIFY)]),
        channel=rng.choice([0, 3, 4, 5], len(owner), p=[0.3, 0.35, 0.25, 0.1]),
    )


def _browsing(
    rng: np.random.Generator,
    calendar: Calendar,
    population: Population,
    traits: Traits,
    registration: Registration,
) -> Events:
    """Draw visits, logins, consultations and tickets: busy while active, rare afterwards."""
    begins = registration.registered / DAY
    leaves = np.clip(population.gone + 20, begins, calendar.days)
    busy = rng.poisson(traits.activity * (leaves - begins) / 30.4)
    quiet = rng.poisson(QUIET_RATE * (calendar.days - leaves) / 30.4)
    everyone = np.arange(len(population))
    owner = np.concatenate([np.repeat(everyone, busy), np.repeat(everyone, quiet)])
    start = np.concatenate([np.repeat(begins, busy), np.repeat(leaves, quiet)])
    stop = np.concatenate([np.repeat(leaves, busy), np.full(quiet.sum(), float(calendar.days))])
    day = (start + rng.random(len(owner)) * (stop - start)).astype(np.int64)
    clock = rng.triangular(7.0, 15.0, 23.9, len(owner)) * 3600
    # Not before the registration, where it is of the same day.
    second = np.maximum(day * DAY + clock.astype(np.int64), registration.registered[owner] + 90)
    kind = BROWSING_KINDS[np.searchsorted(np.cumsum(BROWSING)[:-1], rng.random(len(owner)))]
    is_talk = (kind == CONSULTATION) | (kind == TICKET)
    is_ticket = kind == TICKET
    response, resolved = _handling(rng, traits.managed[owner], second, 0.88)
    channel = np.where(
        is_talk,
        rng.choice([0, 1, 2, 3], len(owner), p=[0.45, 0.25, 0.15, 0.15]),
        np.where(
            kind == LOGIN,
            rng.choice([3, 4, 0], len(owner), p=[0.4, 0.45, 0.15]),
            np.where(rng.random(len(owner)) < traits.online[owner], 3, 5),
        ),
    )
    return _events(
        owner,
        second,
        kind=kind,
        channel=channel,
        topic=np.where(
            is_ticket,
            _trouble(rng, len(owner)),
            np.where(is_talk, _topics(rng, population.kind[owner]), -1),
        ),
        first_response=np.where(is_ticket, response, -1),
        resolved=np.where(is_ticket, resolved, -1),
    )


def _topics(rng: np.random.Generator, kind: np.ndarray) -> np.ndarray:
    reached = np.cumsum(catalogue.TOPIC_WEIGHTS, axis=1)
    reached /= reached[:, -1:]
    uniform = rng.random(len(kind))
    return np.where(
        kind == 1, np.searchsorted(reached[1], uniform), np.searchsorted(reached[0], uniform)
    )


def _trouble(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.choice(catalogue.TROUBLE_TOPICS, size, p=catalogue.TROUBLE_WEIGHTS)


def _handling(
    rng: np.random.Generator, managed: np.ndarray, second: np.ndarray, mended_share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw first response and resolution in seconds; managed customers are answered sooner."""
    hours = rng.lognormal(np.where(managed, np.log(1.1), np.log(9.0)), 0.8)
    work = rng.lognormal(np.log(16.0), 0.9, len(second))
    response = second + 60 + (hours * 3600).astype(np.int64)
    is_mended = rng.random(len(second)) < mended_share
    return response, np.where(is_mended, response + 300 + (work * 3600).astype(np.int64), -1)


def _after_orders(rng: np.random.Generator, traits: Traits, orders: Orders) -> Events:
    """Draw satisfaction answers and reviews some days after completed orders."""
    may = (orders.status == COMPLETED) & (orders.owner >= 0)
    asked = np.flatnonzero(may & (rng.random(len(orders)) < CSAT_SHARE))
    reviewed = np.flatnonzero(may & (rng.random(len(orders)) < REVIEW_SHARE))
    order = np.concatenate([asked, reviewed])
    owner = orders.owner[order]
    answer = np.clip(np.rint(rng.normal(traits.satisfaction[owner], 0.75)), 1, 5).astype(np.int64)
    is_csat = np.arange(len(order)) < len(asked)
    return _events(
        owner,
        orders.second[order] + rng.integers(DAY, 10 * DAY, len(order)),
        kind=np.where(is_csat, CSAT, REVIEW),
        channel=rng.choice([0, 2, 4], len(order)),
        order=order,
        score=np.where(is_csat, answer, -1),
    )


def _complaints(rng: np.random.Generator, traits: Traits, orders: Orders) -> Events:
    """Draw complaints after orders, more of them from dissatisfied customers."""
    may = (orders.status == COMPLETED) & (orders.owner >= 0)
    mood = np.where(may, np.clip(6.2 - traits.satisfaction[orders.owner], 0.5, 4.0) / 2, 0.0)
    order = np.flatnonzero(rng.random(len(orders)) < COMPLAINT_SHARE * mood)
    owner = orders.owner[order]
    second = orders.second[order] + rng.integers(DAY, 14 * DAY, len(order))
    response, resolved = _handling(rng, traits.managed[owner], second, MENDED_SHARE)
    return _events(
        owner,
        second,
        kind=COMPLAINT,
        channel=rng.choice([0, 1, 2], len(order), p=[0.4, 0.4, 0.2]),
        topic=_trouble(rng, len(order)),
        order=order,
        first_response=response,
        resolved=resolved,
    )


def _surveys_after_complaints(rng: np.random.Generator, complaints: Events, last: int) -> Events:
    """Draw satisfaction after a complaint: good where it was mended, bad where it was not."""
    asked = _take(complaints, rng.random(len(complaints)) < 0.6)
    is_mended = (asked.resolved >= 0) & (asked.resolved <= last)
    score = np.clip(np.rint(rng.normal(np.where(is_mended, 4.2, 2.1), 0.7)), 1, 5)
    begin = np.where(is_mended, asked.resolved, asked.second + 10 * DAY)
    return _events(
        asked.owner,
        begin + rng.integers(3600, 3 * DAY, len(asked)),
        kind=CSAT,
        channel=asked.channel,
        order=asked.order,
        score=score.astype(np.int64),
    )


def _nps(
    rng: np.random.Generator,
    calendar: Calendar,
    population: Population,
    traits: Traits,
) -> Events:
    """Draw the answers to a quarterly survey among those who have bought."""
    waves = np.arange(60, calendar.days, NPS_EVERY_DAYS)
    asked = rng.random((len(waves), len(population))) < NPS_SHARE
    asked &= ~population.is_prospect & (population.acquired < waves[:, None])
    asked &= population.gone + 60 > waves[:, None]
    wave, owner = np.nonzero(asked)
    score = np.rint(rng.normal(8.0 + 2.1 * (traits.satisfaction[owner] - 4.15), 1.5))
    return _events(
        owner,
        waves[wave] * DAY + rng.integers(9 * 3600, 4 * DAY, len(owner)),
        kind=NPS,
        channel=rng.choice([0, 2], len(owner)),
        score=np.clip(score, 0, 10).astype(np.int64),
    )


def _campaign_activity(rng: np.random.Generator, contacts: Contacts) -> Events:
    """Draw clicks of the treated; those whose order was added mostly clicked."""
    chance = np.where(contacts.responded, 0.7, 0.16) * contacts.treated
    rows = np.flatnonzero(rng.random(len(chance)) < chance)
    return _events(
        contacts.owner[rows],
        contacts.second[rows] + rng.integers(600, 20 * 3600, len(rows)),
        kind=CAMPAIGN,
        channel=rng.choice([0, 2, 4], len(rows)),
        campaign=contacts.campaign[rows],
    )


def _referrals(traits: Traits, registration: Registration) -> Events:
    referred = np.flatnonzero(traits.referrer >= 0)
    owner = traits.referrer[referred]
    # The word was given before the newcomer registered, and after the referrer had.
    second = np.maximum(
        registration.registered[referred] - DAY // 2, registration.registered[owner] + 60
    )
    return _events(owner, second, kind=REFERRAL, channel=0, referred=referred)


def events_table(
    events: Events, calendar: Calendar, order_ids: pa.Array, first_event: int, first_number: int
) -> pa.Table:
    """Return the interactions feed of one block."""
    zero = calendar.epoch * DAY
    latest = np.maximum(events.second, np.maximum(events.first_response, events.resolved))
    numbers = first_event + 1 + np.arange(len(events))
    return pa.table(
        {
            "interaction_id": identifiers("I", numbers, 9),
            "customer_id": customer_ids(first_number + events.owner),
            "occurred_at": timestamps(zero + events.second),
            "interaction_type": pick(KINDS, events.kind),
            "channel": pick(catalogue.INTERACTION_CHANNELS, events.channel),
            "topic": pick(catalogue.TOPICS, events.topic),
            "campaign_id": campaign_ids(events.campaign),
            "order_id": pick(order_ids, events.order),
            "score": decimals(events.score, 0, events.score >= 0),
            "first_response_at": timestamps(
                zero + events.first_response, events.first_response >= 0
            ),
            "resolved_at": timestamps(zero + events.resolved, events.resolved >= 0),
            "referred_customer_id": customer_ids(
                np.where(events.referred >= 0, first_number + events.referred, -1)
            ),
            "updated_at": timestamps(zero + latest),
        }
    )


def recommendations_table(
    rng: np.random.Generator,
    calendar: Calendar,
    population: Population,
    orders: Orders,
    lines: Lines,
    products: int,
    first_number: int,
) -> pa.Table:
    """Return recommendations of the last year: some were bought within three weeks, most not."""
    since = max(calendar.days - 365, 1)
    recent = np.flatnonzero(
        (orders.owner[lines.order] >= 0)
        & (orders.status[lines.order] == COMPLETED)
        & (orders.second[lines.order] >= since * DAY)
    )
    hits = recent[rng.random(len(recent)) < 0.03]
    hit_owner = orders.owner[lines.order[hits]]
    hit_second = orders.second[lines.order[hits]] - rng.integers(3600, 21 * DAY, len(hits))
    others = np.flatnonzero(
        (population.acquired < calendar.days - 1) & (rng.random(len(population)) < 0.25)
    )
    others = np.repeat(others, 2)
    begin = np.maximum(population.acquired[others], since)
    other_day = (begin + rng.random(len(others)) * (calendar.days - begin)).astype(np.int64)
    other_second = other_day * DAY + rng.integers(8 * 3600, 22 * 3600, len(others))
    owner = np.concatenate([hit_owner, others])
    second = np.concatenate([hit_second, other_second])
    product = np.concatenate([lines.product[hits], rng.integers(0, products, len(others))])
    by_time = np.lexsort((product, owner, second))
    owner, second, product = owner[by_time], second[by_time], product[by_time]
    repeated = np.append(
        False, (np.diff(owner) == 0) & (np.diff(second) == 0) & (np.diff(product) == 0)
    )[: len(owner)]
    kept = ~repeated & (second >= 0)
    return pa.table(
        {
            "customer_id": customer_ids(first_number + owner[kept]),
            "product_id": product_ids(product[kept]),
            "shown_at": timestamps(calendar.epoch * DAY + second[kept]),
        }
    )
