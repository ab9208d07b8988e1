"""The portraits by hand: from the shop's landing files to every column of `customer_profiles`.

Written from the definitions alone (section 11, and 2 for what an order is), on the readers and the
orders of `shop_by_hand`. Shares are exact fractions, money is whole cents.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from tests.warehouse import shop_by_hand
from tests.warehouse.online_retail_by_hand import YEAR_DAYS, is_within
from tests.warehouse.shop_by_hand import (
    Date,
    Moment,
    Order,
    Record,
    Shop,
    is_dated,
    moment,
    number,
    read_feed,
    winners,
)

Row = dict[str, object]
EARLY_DAYS, SECOND_ORDER_DAYS = 30, 90
MINIMUM_SIGNALS = 3
OLDEST = 120
NEEDS_OF_TOPICS = {
    "efficiency": "efficiency",
    "cost_saving": "efficiency",
    "customisation": "customisation",
    "convenience": "convenience",
    "smart_features": "smart_features",
}
# The first is also what is assumed of the type; of an unknown type nothing is.
NEEDS_BY_PRIORITY = {
    "business": ("efficiency", "customisation", "smart_features", "convenience"),
    "consumer": ("convenience", "smart_features", "customisation", "efficiency"),
    "unknown": ("efficiency", "convenience", "customisation", "smart_features"),
}


# ---- Who it is (P1) ----------------------------------------------------------------------------


def age_on(day: Date, born: Date) -> int:
    """Return the age in full years; who was born on 29 February has it on the 28th otherwise."""
    try:
        birthday = born.replace(year=day.year)
    except ValueError:
        birthday = Date(day.year, 2, 28)
    return day.year - born.year - (day < birthday)


def age_band(text: str, as_of: Date) -> str:
    """Return the band of a consumer's age, unknown for a birth date that cannot be."""
    if not text or Date.fromisoformat(text) > as_of:
        return "unknown"
    age = age_on(as_of, Date.fromisoformat(text))
    if age > OLDEST:
        return "unknown"
    names = ((25, "under_25"), (35, "25_34"), (45, "35_44"), (55, "45_54"), (OLDEST + 1, "55_plus"))
    return next(name for below, name in names if age < below)


def revenue_band(text: str) -> str:
    """Return the band of a business by yearly revenue, in yuan (statistical classification)."""
    if not text or number(text) < 0:
        return "unknown"
    millions = number(text) / 1_000_000
    names = ((1, "micro"), (5, "small"), (200, "mid"))
    return next((name for below, name in names if millions < below), "large")


def basic(record: Record, as_of: Date) -> Row:
    """Return the attributes of one customer; a blank is nothing."""
    kind = record.get("customer_type", "").lower()
    is_business, is_consumer = kind == "business", kind == "consumer"
    return {
        "customer_type": kind if is_business or is_consumer else "unknown",
        "industry": (record.get("industry") or None) if is_business else None,
        "revenue_band": revenue_band(record.get("annual_revenue", "")) if is_business else None,
        "age_band": age_band(record.get("birth_date", ""), as_of) if is_consumer else None,
        "country": record.get("country") or None,
        "region": record.get("region") or None,
        "preferred_contact_channel": record.get("preferred_contact_channel") or None,
    }


# ---- What it buys (P2, N2) ---------------------------------------------------------------------


def share(part: int, whole: int) -> Fraction | None:
    """Return a share, None of nothing or less."""
    return Fraction(part, whole) if whole > 0 else None


def preference(of_first: Fraction | None, first: str, second: str, cut: Fraction) -> str:
    """Return the first side from the cut on, the second from what is left of it down."""
    if of_first is None:
        return "unknown"
    if of_first >= cut:
        return first
    return second if of_first <= 1 - cut else ("comprehensive" if first == "product" else "mixed")


def top_categories(orders: Iterable[Order], products: dict[str, Record]) -> Row:
    """Rank categories by net revenue, then lines bought, then name."""
    revenue: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for order in orders:
        for line in order.lines:
            category = products.get(line.product_id, {}).get("category")
            if category:
                revenue[category] += line.net - line.refunded
                lines[category] += line.quantity > 0
    ranked = sorted(
        (each for each in revenue if revenue[each] > 0),
        key=lambda each: (-revenue[each], -lines[each], each),
    )
    return {f"top_category_{place + 1}": dict(enumerate(ranked)).get(place) for place in range(3)}


def buying(orders: list[Order], channels: dict[str, str], products: dict[str, Record]) -> Row:
    """Return what the counted orders of 12 months tell."""
    by_channel = Counter(channels[order.order_id] for order in orders)
    by_tier: Counter[str] = Counter()
    for order in orders:
        for line in order.lines:
            tier = products.get(line.product_id, {}).get("price_tier", "").lower()
            by_tier[tier] += line.net - line.refunded
    online = share(by_channel["online"], by_channel["online"] + by_channel["offline"])
    premium = share(by_tier["premium"], by_tier["premium"] + by_tier["value"])
    return top_categories(orders, products) | {
        "online_share_12m": online,
        "channel_preference": preference(online, "online", "offline", Fraction(60, 100)),
        "premium_revenue_share_12m": premium,
        "product_preference": preference(premium, "premium", "value", Fraction(60, 100)),
    }


# ---- What it says (P2, N1, N2) -----------------------------------------------------------------


def of_type(interactions: Iterable[Record], *kinds: str) -> list[Record]:
    """Return the interactions of some kinds."""
    return [each for each in interactions if each["interaction_type"].lower() in kinds]


def complaint_topic(complaints: list[Record]) -> str | None:
    """Return the topic of most complaints; the latest among equals, then the first by name."""
    topics = defaultdict(list)
    for each in complaints:
        if each["topic"]:
            topics[each["topic"]].append(each["occurred_at"])
    if not topics:
        return None
    best = max((len(when), max(when)) for when in topics.values())
    return min(topic for topic, when in topics.items() if (len(when), max(when)) == best)


def conversations(own: list[Record], recent: list[Record], told: set[str]) -> Row:
    """Return counts of 12 months and the newest consultation of any age."""
    asked = of_type(own, "consultation")
    last = max(asked, key=lambda each: (each["occurred_at"], each["interaction_id"]), default=None)
    complaints = of_type(recent, "complaint")

    def count(kind: str) -> int | None:
        return len(of_type(recent, kind)) if kind in told else None

    return {
        "consultations_12m": count("consultation"),
        "last_consultation_at": moment(last["occurred_at"]) if last else None,
        "last_consultation_topic": (last["topic"] or None) if last else None,
        "campaign_activities_12m": count("campaign_activity"),
        "complaints_12m": count("complaint"),
        "top_complaint_topic_12m": complaint_topic(complaints),
    }


def need(recent: list[Record], orders: list[Order], products: dict[str, Record]) -> Row:
    """Weigh signals for products against signals for services (N1)."""
    kinds = [
        products.get(line.product_id, {}).get("product_kind", "").lower()
        for order in orders
        for line in order.lines
        if line.quantity > 0
    ]
    product = len(of_type(recent, "consultation")) + kinds.count("product")
    service = len(of_type(recent, "service_ticket", "complaint")) + kinds.count("service")
    signals = product + service
    of_product = share(product, signals)
    judged = of_product if signals >= MINIMUM_SIGNALS else None
    return {
        "need_signals_12m": signals,
        "product_signal_share_12m": of_product,
        "need_type": preference(judged, "product", "service", Fraction(70, 100)),
    }


def core_need(recent: list[Record], customer_type: str) -> Row:
    """Return the need that most topics speak of, else the one assumed of the type (N2)."""
    spoken = Counter(
        NEEDS_OF_TOPICS[each["topic"].lower()]
        for each in recent
        if each["topic"].lower() in NEEDS_OF_TOPICS
    )
    order = NEEDS_BY_PRIORITY[customer_type]
    if spoken:
        best = min(spoken, key=lambda each: (-spoken[each], order.index(each)))
        return {"core_need": best, "is_core_need_default": False}
    is_known = customer_type != "unknown"
    return {"core_need": order[0] if is_known else "unknown", "is_core_need_default": is_known}


# ---- How it began (L9) -------------------------------------------------------------------------


def first_experience(
    counted: list[Date], refunds: list[Date], own: list[Record], told: set[str], as_of: Date
) -> Row:
    """Return what happened within 30 days of the first counted order, and the second within 90."""
    names = ("had_early_refund", "had_early_complaint", "first_order_csat", "has_second_order_90d")
    if not counted:
        return dict.fromkeys(names)
    first = min(counted)

    def is_early(day: Date, days: int = EARLY_DAYS) -> bool:
        return 0 <= (day - first).days <= days

    def judge(happened: bool, days: int, is_told: bool = True) -> bool | None:
        if happened:
            return True
        return False if is_told and (as_of - first).days >= days else None

    early = [each for each in own if is_early(moment(each["occurred_at"]).date())]
    scores = [number(each["score"]) for each in of_type(early, "csat")]
    values = (
        judge(any(map(is_early, refunds)), EARLY_DAYS, "refund" in told),
        judge(bool(of_type(early, "complaint")), EARLY_DAYS, "complaint" in told),
        sum(scores, Fraction(0)) / len(scores) if scores else None,
        judge(sum(is_early(day, SECOND_ORDER_DAYS) for day in counted) > 1, SECOND_ORDER_DAYS),
    )
    return dict(zip(names, values, strict=True))


# ---- Everybody ---------------------------------------------------------------------------------


def contacted_campaigns(landing: Path, as_of: Date) -> tuple[dict[str, set[str]], bool]:
    """Return the campaigns of 12 months by customer contacted, and whether any contact is known."""
    campaigns: dict[str, set[str]] = defaultdict(set)
    is_told = False
    records = winners(read_feed(landing, "campaign_contacts"), "campaign_id", "customer_id")
    for record in records.values():
        at, arm = moment(record["contacted_at"]), record["arm"].lower()
        if arm not in ("treatment", "control") or not is_dated(at) or at.date() > as_of:
            continue
        is_told = True
        if arm == "treatment" and is_within(at.date(), as_of, YEAR_DAYS):
            campaigns[record["customer_id"]].add(record["campaign_id"])
    return campaigns, is_told


def newest(landing: Path, feed: str, key: str) -> dict[str, Record]:
    """Return the winning revision of each record of a feed by its id."""
    return {name: record for (name,), record in winners(read_feed(landing, feed), key).items()}


def by_customer(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the records of each customer."""
    groups = defaultdict(list)
    for record in records:
        groups[record["customer_id"]].append(record)
    return groups


def compute(landing: Path, shop: Shop) -> dict[str, Row]:
    """Return the portrait of every customer of the shop that was computed from the same files."""
    as_of = shop.as_of
    master = newest(landing, "customers", "customer_id")
    products = newest(landing, "products", "product_id")
    orders = newest(landing, "orders", "order_id")
    channels = {name: order["channel"].lower() for name, order in orders.items()}
    interactions = shop_by_hand.accept_interactions(landing)
    refunds = [each for each in shop.ledger if each.entry_type in ("refund", "credit_note")]
    told = {each["interaction_type"].lower() for each in interactions}
    told |= {"refund"} if refunds else set()
    campaigns, tells_of_contacts = contacted_campaigns(landing, as_of)
    own_interactions = by_customer(interactions)
    own_orders = shop_by_hand.group_by_customer(shop.orders.values(), lambda each: each.customer_id)
    own_refunds = shop_by_hand.group_by_customer(refunds, lambda each: each.customer_id)

    def is_recent(at: Moment) -> bool:
        return is_within(at.date(), as_of, YEAR_DAYS)

    def portrait(who: str) -> Row:
        counted = [each for each in own_orders.get(who, []) if each.is_counted(as_of)]
        of_year = [each for each in counted if is_recent(each.at)]
        own = own_interactions.get(who, [])
        recent = [each for each in own if is_recent(moment(each["occurred_at"]))]
        attributes = basic(master.get(who, {}), as_of)
        return (
            {
                "as_of_date": as_of,
                "net_revenue_12m": shop.measures[who].net_revenue_12m,
                "orders_12m": shop.measures[who].orders_12m,
                "campaigns_contacted_12m": len(campaigns[who]) if tells_of_contacts else None,
            }
            | attributes
            | buying(of_year, channels, products)
            | conversations(own, recent, told)
            | first_experience(
                [each.at.date() for each in counted],
                [each.day for each in own_refunds.get(who, [])],
                own,
                told,
                as_of,
            )
            | need(recent, of_year, products)
            | core_need(recent, str(attributes["customer_type"]))
        )

    return {who: portrait(who) for who in shop.customers}
