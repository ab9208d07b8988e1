"""Who the customers are: traits that steer what they buy and do, and the master data delivered."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sample import catalogue
from sample.behaviour import TYPES, Calendar, Population
from sample.files import dates, decimals, identifiers, join, pick, timestamps

DAY = 86_400
HIGH_YEARLY_SPEND = 20_000  # CNY expected a year from which a business has an account manager
REVISED_SHARE = 0.02


@dataclass(frozen=True)
class Traits:
    """What stays the same about each customer of a block, shape (n,) unless said otherwise.

    Attributes:
        favourite, second: categories bought most.
        premium: probability that a bought product is of the premium grade.
        online: probability that an order is placed online.
        place: index into `catalogue.PLACES`.
        pays_usd: orders in US dollars.
        discount_seeking: multiplies the probability of a line discount.
        satisfaction: mean of the customer's CSAT answers.
        activity: interactions a month while active.
        managed: has an account manager.
        referrer: index of the customer who recommended the shop, -1 for none.
    """

    favourite: np.ndarray
    second: np.ndarray
    premium: np.ndarray
    online: np.ndarray
    place: np.ndarray
    pays_usd: np.ndarray
    discount_seeking: np.ndarray
    satisfaction: np.ndarray
    activity: np.ndarray
    managed: np.ndarray
    referrer: np.ndarray


def draw_traits(rng: np.random.Generator, population: Population) -> Traits:
    """Draw the traits; activity grows with the buying rate, with enough noise to part the two."""
    size, kind = len(population), population.kind
    abroad = rng.random(size) < np.where(kind == 1, 0.09, 0.02)
    places = len(catalogue.PLACES)
    place = np.where(
        abroad,
        rng.integers(catalogue.HOME_PLACES, places, size),
        # Big places first: the cube of a uniform leans to the head of the list.
        (catalogue.HOME_PLACES * rng.random(size) ** 1.5).astype(np.int64),
    )
    pays_usd = (kind == 1) & (rng.random(size) < np.where(abroad, 0.85, 0.03))
    relative_rate = population.rate / np.where(kind == 1, 0.19, 0.09)
    activity = (
        np.where(kind == 1, 2.6, 1.9)
        * np.clip(relative_rate, 0.05, 8.0) ** 0.55
        * np.exp(rng.normal(0.0, 0.75, size))
    )
    return Traits(
        favourite=draw_categories(rng, kind),
        second=draw_categories(rng, kind),
        premium=rng.choice([0.15, 0.5, 0.85], size, p=[0.35, 0.35, 0.3]),
        online=np.where(kind == 1, rng.beta(1.0, 1.2, size), rng.beta(2.0, 0.8, size)),
        place=place,
        pays_usd=pays_usd,
        discount_seeking=rng.gamma(1.2, 1 / 1.2, size),
        satisfaction=np.clip(rng.normal(4.15, 0.55, size), 1.5, 5.0),
        activity=np.where(population.is_prospect, 0.5, np.minimum(activity, 25.0)),
        managed=(kind == 1) & (population.rate * 52 * population.mean_order > HIGH_YEARLY_SPEND),
        referrer=_draw_referrers(rng, population),
    )


def draw_categories(rng: np.random.Generator, kind: np.ndarray) -> np.ndarray:
    """Draw one category per row by the demand of its customer type, shape of `kind`."""
    reached = np.stack([np.cumsum(catalogue.demand(each)) for each in (0, 1)])
    uniform = rng.random(len(kind))
    drawn = np.where(
        kind == 1, np.searchsorted(reached[1], uniform), np.searchsorted(reached[0], uniform)
    )
    return np.minimum(drawn, len(catalogue.CATEGORIES) - 1)


def _draw_referrers(rng: np.random.Generator, population: Population) -> np.ndarray:
    """Give some customers a referrer: one of a few promoters, acquired a month earlier at least."""
    size = len(population)
    promoters = np.flatnonzero(~population.is_prospect & (rng.random(size) < 0.08))
    known = np.searchsorted(population.acquired[promoters], population.acquired - 30)
    chosen = (rng.random(size) * known).astype(np.int64)
    referred = np.flatnonzero((rng.random(size) < 0.10) & (known > 0))
    referrer = np.full(size, -1)
    referrer[referred] = promoters[chosen[referred]]
    return referrer


@dataclass(frozen=True)
class Registration:
    """When each customer registered and was verified, seconds since the first day, shape (n,).

    `verified` is -1 where that has not happened.
    """

    registered: np.ndarray
    verified: np.ndarray


def draw_registration(
    rng: np.random.Generator,
    calendar: Calendar,
    population: Population,
    first_order: np.ndarray,
) -> Registration:
    """Draw registrations before the first order (seconds since the first day, shape (n,))."""
    size = len(population)
    last = calendar.days * DAY - 1
    minutes = rng.integers(4, 45, size) * 60
    ahead = (rng.exponential(20.0, size) * DAY).astype(np.int64)
    registered = first_order - minutes - np.where(rng.random(size) < 0.35, ahead, 0)
    registered = np.maximum(registered, 0)
    hours = rng.exponential(np.where(population.kind == 1, 40.0, 6.0))
    verified = registered + 120 + (hours * 3600).astype(np.int64)
    is_verified = (rng.random(size) < np.where(population.is_prospect, 0.3, 0.78)) & (
        verified <= last
    )
    return Registration(registered, np.where(is_verified, verified, -1))


def customer_ids(numbers: np.ndarray) -> pa.Array:
    """Return customer ids from running numbers (from 0), null where negative."""
    return identifiers("C", np.asarray(numbers) + 1, 7, np.asarray(numbers) >= 0)


def master_data(
    rng: np.random.Generator,
    calendar: Calendar,
    population: Population,
    traits: Traits,
    registration: Registration,
    first_number: int,
) -> tuple[pa.Table, pa.Table]:
    """Return the customers feed and a later delivery in which some of them are revised.

    Every name, e-mail and phone is invented: example.com, and +86 000, a prefix nobody has.
    """
    size, kind = len(population), population.kind
    is_business = kind == 1
    epoch = calendar.epoch * DAY
    last = calendar.days * DAY - 1
    numbers = first_number + np.arange(size)
    surname = rng.integers(0, len(catalogue.SURNAMES), size)
    given = rng.integers(0, len(catalogue.GIVEN_NAMES), size)
    word = rng.integers(0, len(catalogue.COMPANY_WORDS), size)
    industry = rng.integers(0, len(catalogue.INDUSTRIES), size)
    cities = [city for _, _, city in catalogue.PLACES]
    person = join(pick(catalogue.SURNAMES, surname), " ", pick(catalogue.GIVEN_NAMES, given))
    company = join(
        pick(cities, traits.place),
        " ",
        pick(catalogue.COMPANY_WORDS, word),
        " ",
        pick(catalogue.INDUSTRIES, industry),
        " Co., Ltd.",
    )
    number_text = pa.array(numbers + 1).cast(pa.string())
    mailbox = join(
        pc.utf8_lower(pick(catalogue.GIVEN_NAMES, given)),
        ".",
        pc.utf8_lower(pick(catalogue.SURNAMES, surname)),
        number_text,
        "@example.com",
    )
    office = join("office", number_text, "@example.com")
    age_days = (rng.triangular(18, 33, 76, size) * 365.25).astype(np.int64)
    has_birth = ~is_business & (rng.random(size) < 0.9)
    revenue = np.exp(rng.normal(15.6, 1.1, size)) * np.sqrt(population.mean_order / 1700)
    updated = np.maximum(registration.registered, registration.verified)
    table = pa.table(
        {
            "customer_id": customer_ids(numbers),
            "customer_type": pick(TYPES, kind),
            "name": pc.if_else(pa.array(is_business), company, person),
            "email": _sometimes(rng, 0.95, pc.if_else(pa.array(is_business), office, mailbox)),
            "phone": _sometimes(rng, 0.9, identifiers("+86 000", numbers + 1, 8)),
            "birth_date": dates(calendar.epoch + calendar.days - age_days, has_birth),
            "gender": pick(
                ("female", "male"),
                np.where(is_business | (rng.random(size) < 0.1), -1, rng.integers(0, 2, size)),
            ),
            "registered_at": timestamps(epoch + registration.registered),
            "verified_at": timestamps(epoch + registration.verified, registration.verified >= 0),
            "country": pick([place[0] for place in catalogue.PLACES], traits.place),
            "region": pick([place[1] for place in catalogue.PLACES], traits.place),
            "city": pick(cities, traits.place),
            "industry": pick(catalogue.INDUSTRIES, np.where(is_business, industry, -1)),
            "annual_revenue": decimals(
                np.rint(revenue / 10_000).astype(np.int64) * 1_000_000,
                2,
                is_business & (rng.random(size) < 0.92),
            ),
            "preferred_contact_channel": pick(
                catalogue.CONTACT_CHANNELS,
                _weighted(
                    rng, np.where(is_business, 1, 0), [[0.68, 0.14, 0.18], [0.42, 0.33, 0.25]]
                ),
            ),
            "acquisition_channel": pick(
                catalogue.ACQUISITION_CHANNELS,
                np.where(
                    traits.referrer >= 0,
                    2,
                    _weighted(
                        rng,
                        np.where(is_business, 1, 0),
                        [
                            [0.34, 0.36, 0.0, 0.02, 0.24, 0.04],
                            [0.3, 0.08, 0.0, 0.3, 0.12, 0.2],
                        ],
                    ),
                ),
            ),
            "account_manager": pick(
                catalogue.MANAGERS,
                np.where(traits.managed, rng.integers(0, len(catalogue.MANAGERS), size), -1),
            ),
            "referrer_customer_id": customer_ids(
                np.where(traits.referrer >= 0, first_number + traits.referrer, -1)
            ),
            "marketing_consent": pa.array(rng.random(size) < 0.74),
            "updated_at": timestamps(epoch + updated),
        }
    )
    return table, _revised(rng, calendar, table, updated, last)


def _revised(
    rng: np.random.Generator,
    calendar: Calendar,
    table: pa.Table,
    updated: np.ndarray,
    last: int,
) -> pa.Table:
    """Return newer revisions of some rows: the channel to reach them and the consent changed."""
    newer = updated + rng.integers(DAY, 300 * DAY, len(updated))
    rows = np.flatnonzero((rng.random(len(updated)) < REVISED_SHARE) & (newer <= last))
    revised = table.take(pa.array(rows))
    changes = {
        "preferred_contact_channel": pick(
            catalogue.CONTACT_CHANNELS, rng.integers(0, 3, len(rows))
        ),
        "marketing_consent": pc.invert(revised["marketing_consent"]),
        "updated_at": timestamps(calendar.epoch * DAY + newer[rows]),
    }
    for name, column in changes.items():
        revised = revised.set_column(revised.schema.get_field_index(name), name, column)
    return revised


def _sometimes(rng: np.random.Generator, share: float, column: pa.Array) -> pa.Array:
    return pc.if_else(
        pa.array(rng.random(len(column)) < share), column, pa.scalar(None, column.type)
    )


def _weighted(rng: np.random.Generator, row: np.ndarray, weights: list[list[float]]) -> np.ndarray:
    """Draw a code for each entry of `row` with the weights of that row of the matrix."""
    reached = np.cumsum(np.asarray(weights), axis=1)
    reached /= reached[:, -1:]
    return (rng.random(len(row))[:, None] > reached[row]).sum(axis=1)
