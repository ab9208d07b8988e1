"""Why a customer is in its segment, what would lift it and when it falls, in plain sentences.

Every sentence comes from a row of the published version (`evidence.py`) and a template
(`wording.py`); nothing is judged here anew.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from orchestration.evidence import Evidence, Reason
from orchestration.wording import (
    COMMAS,
    HEADINGS,
    PHRASES,
    UNKNOWN,
    VERDICTS,
    Language,
    bounds,
    day,
    figure,
    listed,
    money,
    number,
    sentence,
    text,
)

WIDEST = 100
GAP = 2
# A figure or word, or one character, with the opening marks before and the closing marks after it.
UNBROKEN = re.compile(r"[（“]*(?:[0-9A-Za-z.,:%_+-]+|.)[，。；：、）”%]*")
SCORES = ("r_score", "f_score", "m_score")
# Whose sentences stand under the tier that they make.
BANDS_OF_VALUE = ("spend_band", "frequency_band", "margin_band")
RELATIONSHIP = ("loyalty_band", "relationship_tier")
PREFERENCES = ("need_type", "product_preference", "channel_preference")
# Where a rule names codes, these codes say why, each found by the measure that decided it.
NAMING = ("has_conflicting_bands", "to_activate", "service_tier")
DECIDED_BY = {
    "points_of_three_bands": "value_tier",
    "points_of_two_bands": "value_tier",
    "net_revenue_12m": "spend_band",
    "orders_12m": "frequency_band",
    "margin_rate_12m": "margin_band",
    "repeat_rate": "loyalty_band",
    "interactions_per_month": "interaction_band",
    "recency_days": "activity_status",
    "clv_predicted": "potential_band",
}
# What may be unknown, in the order in which it is told.
KNOWABLE = (
    "margin_band",
    "cycle_band",
    "loyalty_band",
    "interaction_band",
    "relationship_tier",
    "potential_band",
    "revenue_band",
    "age_band",
    *PREFERENCES,
    "core_need",
)
COMPARED = (
    "rfm_segment",
    "value_tier",
    "abc_class",
    "order_value_group",
    "lifecycle_stage",
    "activity_status",
    "relationship_tier",
    "service_tier",
)


@dataclass(frozen=True)
class Item:
    """One line of an explanation: its heading, what holds, and why."""

    heading: str
    verdict: str
    why: str


@dataclass(frozen=True)
class Explanation:
    """What is said of a customer: who it is, then one item after the other."""

    title: str
    items: tuple[Item, ...]


def segment_of(row: dict[str, Any]) -> str:
    """Return the segment that has the last word in a row of the segments or of their history.

    What was published before there was a final segment has the headline alone.
    """
    return row.get("final_segment") or row["headline_segment"]


def explain(evidence: Evidence, language: Language) -> Explanation:
    """Put what is known of a customer into words."""
    return _Explainer(evidence, language).explanation()


@dataclass(frozen=True)
class _Explainer:
    evidence: Evidence
    language: Language

    def explanation(self) -> Explanation:
        segments = self.evidence.segments
        kind = self.evidence.profile["customer_type"]
        parts = [
            segments["customer_id"],
            *([] if kind == "unknown" else [self.label("customer_type", kind)]),
            PHRASES["as_of"].say(self.language, day=self.day(segments["as_of_date"])),
        ]
        groups = (
            self.segment(),
            self.scores(),
            self.value(),
            self.placed(("abc_class", "order_value_group")),
            self.stage(),
            self.placed(RELATIONSHIP),
            self.flagged("to_activate"),
            self.forecast(),
            self.placed(("service_tier",)),
            self.needs(),
            self.step(),
            self.drop(),
            self.changes(),
            self.unknown(),
        )
        return Explanation(" · ".join(parts), tuple(item for group in groups for item in group))

    # What decided

    def segment(self) -> Iterator[Item]:
        segments = self.evidence.segments
        verdict = self.segment_label(segment_of(segments))
        kind = self.label("rfm_segment", segments["rfm_segment"])
        if kind != verdict:
            verdict = PHRASES["kind"].say(self.language, segment=verdict, kind=kind)
        said = [*self.decided_by(), self.since()]
        yield Item(self.name("final_segment"), verdict, text(said, self.language))

    def decided_by(self) -> Iterator[str]:
        """Say what had the last word where it was not the scores."""
        segments, override = self.evidence.segments, self.evidence.override
        rules = {reason.rule_id.split(".")[0] for reason in self.reasons("final_segment")}
        if override is not None:
            said = {
                "author": override.author,
                "reason": override.reason,
                "day": self.day(override.valid_from),
                "model": self.segment_label(segments["model_segment"]),
            }
            if override.valid_to is None:
                yield PHRASES["segment_overrides"].say(self.language, **said)
            else:
                last_day = self.day(override.valid_to)
                phrase = PHRASES["segment_overrides_until"]
                yield phrase.say(self.language, last_day=last_day, **said)
        elif "calibration_rules" in rules:
            headline = self.label("headline_segment", segments["headline_segment"])
            yield PHRASES["calibration_rules"].say(self.language, headline=headline)
            yield from self.sentences(self.reasons("final_segment"))

    def since(self) -> str:
        """Say since which month-end the customer is where it is, or what it was before."""
        now, history = segment_of(self.evidence.segments), self.evidence.history
        previous = self.evidence.previous
        if previous is None:
            return ""
        if not history or history[-1]["as_of_date"] != previous:
            return PHRASES["since_new"].say(self.language, day=self.day(previous))
        last = history[-1]
        if segment_of(last) != now:
            before = self.segment_label(segment_of(last))
            return PHRASES["since_change"].say(self.language, day=self.day(previous), before=before)
        first = run_start(history)
        phrase = "since_kept" if first == self.evidence.first_kept else "since"
        return PHRASES[phrase].say(self.language, day=self.day(first))

    def scores(self) -> Iterator[Item]:
        segments = self.evidence.segments
        for dimension in SCORES:
            if segments[dimension] is not None:
                verdict = PHRASES["score"].say(self.language, score=str(segments[dimension]))
                yield self.item(dimension, verdict, self.reasons(dimension))
        if segments["rfm_code"] is None:
            said = list(self.sentences(self.reasons("headline_segment")))
            if segments["orders_to_date"]:
                said.append(PHRASES["too_few_buyers"].say(self.language))
            verdict = self.label("rfm_segment", segments["rfm_segment"])
            yield Item(self.name("rfm_segment"), verdict, text(said, self.language))

    def value(self) -> Iterator[Item]:
        segments = self.evidence.segments
        if segments["value_tier"] is None:
            return
        yield self.item(
            "value_tier",
            self.label("value_tier", segments["value_tier"]),
            self.reasons("value_tier"),
        )
        yield from self.placed(BANDS_OF_VALUE)
        yield from self.flagged("has_conflicting_bands")

    def placed(self, dimensions: Iterable[str]) -> Iterator[Item]:
        """Say of each dimension what the customer is and why, where that is known."""
        for dimension in dimensions:
            code = self.evidence.segments[dimension]
            if code not in (None, "unknown"):
                yield self.item(dimension, self.label(dimension, code), self.reasons(dimension))

    def stage(self) -> Iterator[Item]:
        """Say the stage of life and how active the customer is, for which recency is the reason."""
        segments = self.evidence.segments
        verdict = listed(
            (
                self.label("lifecycle_stage", segments["lifecycle_stage"]),
                self.label("activity_status", segments["activity_status"]),
            ),
            self.language,
        )
        yield self.item("lifecycle_stage", verdict, self.reasons("lifecycle_stage"))

    def flagged(self, dimension: str) -> Iterator[Item]:
        if self.evidence.segments[dimension]:
            yield self.item(dimension, self.label(dimension, "true"), self.reasons(dimension))

    # What is to be expected

    def forecast(self) -> Iterator[Item]:
        clv = self.evidence.clv
        reason = self.label("clv_reason", clv["clv_reason"])
        if clv["clv_predicted"] is None:
            yield Item(
                self.heading("forecast"),
                PHRASES["no_forecast"].say(self.language),
                text([reason], self.language),
            )
            return
        alive = number(clv["p_alive"], "percent")
        said = [
            PHRASES["forecast_orders"].say(
                self.language,
                orders=figure(clv["expected_orders"], "expected_orders", self.language),
                alive=alive,
            )
        ]
        if clv["expected_next_order_date"] is not None:
            due = self.day(clv["expected_next_order_date"])
            said.append(PHRASES["forecast_next"].say(self.language, day=due))
        yield Item(self.heading("forecast"), self.predicted(), text(said, self.language))
        status = self.label("clv_status", clv["clv_status"])
        verdict = PHRASES["kind"].say(self.language, segment=status, kind=reason)
        yield Item(self.heading("trust"), verdict, text([self.coverage()], self.language))

    def predicted(self) -> str:
        """Say how much is forecast, and between which bounds where there are any."""
        clv = self.evidence.clv
        value = money(clv["clv_predicted"])
        basis = self.label("clv_basis", clv["clv_basis"])
        basis = basis.lower() if self.language is Language.en else basis
        if clv["clv_lower"] is None or clv["clv_upper"] is None:
            return PHRASES["forecast_point"].say(self.language, value=value, basis=basis)
        return PHRASES["forecast"].say(
            self.language,
            value=value,
            basis=basis,
            lower=money(clv["clv_lower"]),
            upper=money(clv["clv_upper"]),
        )

    def coverage(self) -> str:
        """Say how often ranges like the customer's held what came."""
        measured = self.evidence.coverage
        if measured is None:
            return PHRASES["no_trust"].say(self.language)
        return PHRASES["trust"].say(
            self.language,
            day=self.day(measured.origin),
            days=str(measured.days),
            share=number(measured.share, "percent"),
        )

    def needs(self) -> Iterator[Item]:
        profile = self.evidence.profile
        known = [
            self.label(dimension, profile[dimension])
            for dimension in PREFERENCES
            if profile[dimension] != "unknown"
        ]
        if profile["core_need"] != "unknown":
            need = self.label("core_need", profile["core_need"])
            if profile["is_core_need_default"]:
                need = PHRASES["assumed"].say(self.language, need=need)
            known.append(need)
        if known:
            yield Item(self.heading("needs"), listed(known, self.language), "")

    # What would change it, and what has

    def step(self) -> Iterator[Item]:
        """Say the cheapest change that lifts the value tier."""
        segments = self.evidence.segments
        if "next_step_tier" not in segments or segments["value_tier"] is None:
            return
        if segments["next_step_tier"] is None:
            best = self.evidence.ranks.get(("value_tier", segments["value_tier"])) == 1
            phrase = "step_top" if best else "step_none"
            yield Item(self.heading("step"), PHRASES[phrase].say(self.language), "")
            return
        filled = {"tier": self.label("value_tier", segments["next_step_tier"])}
        phrase = "step"
        if segments["next_step_orders"] is None:
            phrase = "step_amount"
        else:
            count = float(segments["next_step_orders"])
            filled["orders"] = figure(count, "orders_12m", self.language)
        if segments["next_step_amount"] is None:
            phrase = "step_orders"
        else:
            filled["amount"] = money(segments["next_step_amount"])
        yield Item(self.heading("step"), PHRASES[phrase].say(self.language, **filled), "")

    def drop(self) -> Iterator[Item]:
        """Say when the value tier falls if nothing happens."""
        segments = self.evidence.segments
        if "drops_on" not in segments or segments["value_tier"] is None:
            return
        if segments["drops_on"] is None:
            said = PHRASES["drop_none"].say(self.language)
        else:
            said = PHRASES["drop"].say(
                self.language,
                day=self.day(segments["drops_on"]),
                tier=self.label("value_tier", segments["drops_to_tier"]),
            )
        yield Item(self.heading("drop"), said, "")

    def changes(self) -> Iterator[Item]:
        """Say which codes are others than at the month-end before."""
        history, now = self.evidence.history, self.evidence.segments
        if not history or history[-1]["as_of_date"] != self.evidence.previous:
            return
        last = history[-1]
        said = [
            PHRASES["change"].say(
                self.language,
                dimension=self.name(dimension),
                before=self.label(dimension, last[dimension]),
                after=self.label(dimension, now[dimension]),
            )
            for dimension in COMPARED
            if None not in (last.get(dimension), now[dimension])
            and last[dimension] != now[dimension]
        ]
        heading = HEADINGS["changes"].say(self.language, day=self.day(last["as_of_date"]))
        yield Item(
            heading, listed(said, self.language) or PHRASES["no_change"].say(self.language), ""
        )

    # What nobody knows

    def unknown(self) -> Iterator[Item]:
        segments, profile = self.evidence.segments, self.evidence.profile
        whys: dict[str, list[str]] = {}
        for dimension in KNOWABLE:
            if (segments if dimension in segments else profile)[dimension] == "unknown":
                whys.setdefault(self.missing(dimension), []).append(self.name(dimension))
        if whys:
            said = (
                PHRASES["unknown"].say(
                    self.language, dimensions=listed(names, self.language, COMMAS), why=why
                )
                for why, names in whys.items()
            )
            yield Item(self.heading("unknown"), listed(said, self.language), "")

    def missing(self, dimension: str) -> str:
        """Say what would have to be known to tell a code."""
        for reason in self.reasons(dimension):
            measure = reason.measure
            if measure == "margin_rate_12m" and self.evidence.segments["net_revenue_12m"] <= 0:
                measure = "margin_rate_12m.no_revenue"
            said = sentence(
                measure, reason.value, reason.lower, reason.upper, self.language, UNKNOWN
            )
            if said:
                return said
        # The one code without a reason, since an age would be one.
        return UNKNOWN["age_years"].say(self.language)

    # Words

    def item(self, dimension: str, verdict: str, reasons: Iterable[Reason]) -> Item:
        return Item(self.name(dimension), verdict, text(self.sentences(reasons), self.language))

    def sentences(self, reasons: Iterable[Reason]) -> Iterator[str]:
        """Say each reason; a measure without a template is said by its label."""
        for reason in reasons:
            decider = DECIDED_BY.get(reason.measure)
            code = None if decider is None else self.evidence.segments[decider]
            if reason.dimension in NAMING and decider is not None and code is not None:
                yield self.label(decider, code)
                continue
            said = sentence(reason.measure, reason.value, reason.lower, reason.upper, self.language)
            yield said or self.label("measure", reason.measure)

    def reasons(self, dimension: str) -> list[Reason]:
        """Return the reasons of a dimension, in the order of the labels of their measures."""
        ranks = self.evidence.ranks
        return sorted(
            (each for each in self.evidence.reasons if each.dimension == dimension),
            key=lambda each: (ranks.get(("measure", each.measure), len(ranks)), each.rule_id),
        )

    def segment_label(self, code: str) -> str:
        """Return the name of a final segment, most of which are headline segments."""
        return self.label("final_segment", code)

    def label(self, dimension: str, code: str) -> str:
        labels = self.evidence.labels
        found = labels.get((dimension, code))
        if found is None and dimension == "final_segment":
            found = labels.get(("headline_segment", code))
        return code if found is None else (found.en if self.language is Language.en else found.zh)

    def name(self, dimension: str) -> str:
        return self.label("dimension", dimension)

    def heading(self, key: str) -> str:
        return HEADINGS[key].say(self.language)

    def day(self, given: date) -> str:
        return day(given, self.language)


def run_start(history: tuple[dict[str, Any], ...]) -> date:
    """Return the first month-end of the run of equal segments that the history ends with."""
    first = history[-1]
    for row in reversed(history):
        if segment_of(row) != segment_of(history[-1]):
            break
        first = row
    return first["as_of_date"]


def render(explanation: Explanation, language: Language, console: Console) -> None:
    """Print an explanation, as wide as it reads well."""
    width = min(console.width, WIDEST)
    console.print(f"[bold]{escape(explanation.title)}[/bold]", highlight=False, width=width)
    table = Table.grid(padding=(0, GAP, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    headings = max(cell_len(item.heading) for item in explanation.items)
    for item in explanation.items:
        said = item.verdict
        if item.why:
            said = VERDICTS.say(language, verdict=item.verdict, why=item.why)
        line = Text(said)
        line.stylize("bold", 0, len(item.verdict))
        if language is Language.zh:
            line = Text("\n").join(line.divide(breaks(said, width - headings - 2 * GAP)))
        table.add_row(item.heading, line)
    console.print(table, highlight=False, width=width)


def breaks(said: str, width: int) -> list[int]:
    """Return where lines of a Chinese text end, so that none begins with a closing mark.

    Figures stay whole, with the mark that follows them.
    """
    ends, used = [], 0
    for piece in UNBROKEN.finditer(said):
        cells = cell_len(piece.group())
        if used and used + cells > width:
            ends.append(piece.start())
            used = 0
        used += cells
    return ends


def render_reasons(evidence: Evidence, language: Language, console: Console) -> None:
    """Print every reason with its value, bounds, rule and clause, and what nobody delivered."""
    words = _Explainer(evidence, language)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in ("what", "measure"):
        table.add_column(words.heading(heading), overflow="fold")
    for heading in ("value", "bounds"):
        table.add_column(words.heading(heading), justify="right", overflow="fold")
    for heading in ("rule", "clause"):
        table.add_column(words.heading(heading), overflow="fold")
    for reason in sorted(evidence.reasons, key=lambda each: _place(evidence, each)):
        rivals = [bound for bound in (reason.lower, reason.upper) if bound is not None]
        value = reason.value
        table.add_row(
            PHRASES["code"].say(
                language,
                dimension=words.name(reason.dimension),
                code=words.label(reason.dimension, reason.code),
            ),
            words.label("measure", reason.measure),
            "" if value is None else figure(value, reason.measure, language, rivals),
            bounds(reason.lower, reason.upper, reason.measure, language),
            reason.rule_id,
            reason.clause or "",
        )
    console.print(table, highlight=False)
    for note in evidence.notes:
        console.print(note.say(language), style="yellow", highlight=False)


def _place(evidence: Evidence, reason: Reason) -> tuple[int, str, str]:
    """Return where a reason stands among all: by its dimension, then by rule and measure."""
    rank = evidence.ranks.get(("dimension", reason.dimension), len(evidence.ranks))
    return rank, reason.rule_id, reason.measure
