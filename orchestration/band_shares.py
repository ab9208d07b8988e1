"""Which bands hold hardly anybody or nearly everybody, and so tell customers hardly apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from orchestration import rules
from orchestration.copies import quoted
from orchestration.home import Home
from orchestration.readers import open_published
from orchestration.settings import setting

SMALLEST_SHARE = 0.01
LARGEST_SHARE = 0.80
DIMENSIONS = ("spend_band", "frequency_band", "margin_band", "value_tier", "order_value_group")


@dataclass(frozen=True)
class OddBand:
    """A band that holds under 1% or over 80% of the buyers of 12 months whose band is known."""

    dimension: str
    code: str
    share: float
    buyers: int

    def __str__(self) -> str:
        """Say it in a sentence, with what to do."""
        return (
            f"{self.dimension} {self.code} holds {100 * self.share:.1f}% of the {self.buyers:,} "
            f"buyers of 12 months, so it hardly tells them apart. ./segments calibrate proposes "
            f"cut points that fit."
        )


def odd_bands(place: Home) -> list[OddBand]:
    """Return the bands of the published customers that are out of proportion.

    None where there are fewer buyers than are worth ranking: each is a large share there.
    """
    found = []
    with open_published(place) as connection:
        (newest,) = connection.execute("select max(as_of_date) from customer_segments").fetchone()
        if newest is None:
            return []
        fewest = int(setting("minimum_buyers_to_rank", newest))
        for dimension, codes in bands_on(rules.read_seeds(), newest).items():
            held = dict(
                connection.execute(
                    f"select {quoted(dimension)}, count(*) from customer_segments "
                    "where orders_12m > 0 group by all"
                ).fetchall()
            )
            buyers = sum(held.get(code, 0) for code in codes)
            if buyers < fewest:
                continue
            shares = {code: held.get(code, 0) / buyers for code in codes}
            found += [
                OddBand(dimension, code, share, buyers)
                for code, share in shares.items()
                if not SMALLEST_SHARE <= share <= LARGEST_SHARE
            ]
    return found


def bands_on(seeds: Mapping[str, rules.Seed], day: date) -> dict[str, list[str]]:
    """Return the codes that buyers can have by the rules of a day, unknown ones left out."""
    rows = [(row["dimension"], row["code"]) for row in rules.rows_on(seeds["bands"], day)]
    rows += [
        ("order_value_group", row["order_value_group"])
        for row in rules.rows_on(seeds["order_value_groups"], day)
        # Who has not ordered is no buyer.
        if row["frequency_level"] != "none"
    ]
    # A tier has rows for two and for three bands.
    return {
        dimension: list(dict.fromkeys(code for name, code in rows if name == dimension))
        for dimension in DIMENSIONS
    }
