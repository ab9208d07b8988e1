"""Who would move under changed rules, and with how much money, before anything is published."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table

from orchestration import audit, control, progress, rules, trial, versions
from orchestration.copies import quoted
from orchestration.home import Home, writer_lock
from orchestration.rules import RuleFile, Seed

# What a customer is called, in the order of the documents; dimensions that a warehouse has not are
# left out.
DIMENSIONS = (
    *("final_segment", "model_segment", "headline_segment", "rfm_segment"),
    *("value_tier", "spend_band", "frequency_band", "margin_band", "abc_class"),
    *("order_value_group", "value_potential_quadrant", "potential_band"),
    *("activity_status", "interaction_band", "cycle_band", "loyalty_band", "relationship_tier"),
    *("lifecycle_stage", "service_tier", "to_activate", "cluster_name"),
)
# The codes under the rules in force, kept beside those of the trial.
BASE = "in_force"
SHOWN_MOVES = 12
COLUMNS = ("dimension", "from_segment", "to_segment", "customers", "net_revenue_12m")


class WhatIfNotPossible(Exception):
    """There is nothing sound to compare with; the message says why and what to do."""


@dataclass(frozen=True)
class Move:
    """Customers who go from one segment of a dimension to another; None is no segment.

    `net_revenue_12m` is in base currency.
    """

    dimension: str
    from_segment: str | None
    to_segment: str | None
    customers: int
    net_revenue_12m: Decimal


@dataclass(frozen=True)
class Impact:
    """What changed rules would do at an as-of.

    `labels` maps dimension and code to the label in English and Chinese; `customers` is how many
    there are; `moves` are the largest first within a dimension; `not_compared` are changed
    dimensions that are no codes of `customer_segments`, as those of the portrait.
    """

    as_of_date: date
    valid_from: date
    customers: int
    dimensions: tuple[str, ...]
    moves: tuple[Move, ...]
    labels: dict[tuple[str, str], tuple[str, str]]
    not_compared: tuple[str, ...]


def what_if(place: Home, file: Path) -> Impact:
    """Judge the customers at the newest published as-of by the rules of a file and compare.

    The rules in force on that day, with the file's changes, are taken as if they had held for all
    time, whatever its valid_from. The home, its published versions and the seeds stay as they are.

    Args:
        place: the home.
        file: the rule file.

    Raises:
        RulesError: the file is no rule file, or asks for what cannot be.
        RulesRefused: the tests of the rules refuse the set.
        WhatIfNotPossible: nothing is published, or the build file is not what is published.
        WriterBusy, BuildBusy: somebody writes the warehouse.
        DbtFailed: a model failed.
    """
    seeds = rules.read_seeds()
    asked = rules.read_rule_file(file, seeds)
    as_of_date = newest_as_of(place)
    rows = {name: rules.timeless(seeds[name], asked.of(name), as_of_date) for name in asked.seeds}
    say = progress.stage("what-if")
    with writer_lock(place, "a look before a what-if"), audit.open_build(place) as build:
        check_is_published(place, build)
    with trial.trial(place) as own:
        say("reading the project")
        nodes = trial.parsed_nodes(place, own)
        models = trial.models_reached(nodes, asked.seeds)
        say(f"copying what {len(models)} models read")
        with writer_lock(place, "copy for a what-if"), audit.open_build(place) as build:
            # Again: somebody may have built since.
            check_is_published(place, build)
            read = trial.relations_read(nodes, models)
            trial.copy_relations(build, own, [*read, ("control", "increment")])
            _keep_codes_in_force(build, own)
        with duckdb.connect(str(own.build_file)) as build:
            for name in asked.seeds:
                trial.write_seed(build, seeds[name], rows[name])
        say("judging the customers anew")
        trial.call(own, "build", nodes, [*models, *trial.tests_of(nodes, asked.seeds, models)])
        say("comparing")
        with duckdb.connect(str(own.build_file), read_only=True) as build:
            return _compare(build, as_of_date, asked, seeds)


def newest_as_of(place: Home) -> date:
    """Return the newest as-of that is published.

    Raises:
        WhatIfNotPossible: nothing is published, or no fact was ever accepted.
    """
    newest = (versions.current(place) or {}).get("as_of_date")
    if newest is None:
        raise WhatIfNotPossible("no customers are published yet: run ./segments run first")
    return date.fromisoformat(newest)


def check_is_published(place: Home, build: duckdb.DuckDBPyConnection) -> None:
    """Refuse where the attached `build` is not what readers get and what the project says.

    Raises:
        WhatIfNotPossible: rules or models were edited since, or something was built since.
    """
    if control.why_outdated(build):
        raise WhatIfNotPossible(
            "rules or models were edited since the last run, so the customers as they are now are "
            "judged by other ones: run ./segments run first"
        )
    if not control.is_as_published(build, versions.current(place)):
        raise WhatIfNotPossible(
            "the build file is not what is published: a run failed, a single step was run, or "
            "readers were switched back. Run ./segments run first"
        )


def write_csv(impact: Impact, path: Path) -> None:
    """Write the moves for a spreadsheet; a file of that name is replaced."""
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for move in impact.moves:
            writer.writerow([getattr(move, column) for column in COLUMNS])


def render(impact: Impact, console: Console) -> None:
    """Print who moves, a section for each dimension that anybody moves in."""
    console.print(
        f"As of {impact.as_of_date}, as if the changed rules had always held (the file has them "
        f"hold from {impact.valid_from} on):",
        highlight=False,
    )
    if impact.not_compared:
        console.print(
            f"Not compared: {', '.join(impact.not_compared)}, which customer_segments has not.",
            style="yellow",
            highlight=False,
        )
    if not impact.moves:
        console.print(
            f"Nobody moves: all {impact.customers:,} customers keep their "
            f"{len(impact.dimensions)} codes (figures, such as composite_score, are not compared).",
            highlight=False,
        )
        return
    bilingual = console.width >= 120
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("Dimension", "From", "To", *(["从", "到"] if bilingual else [])):
        table.add_column(name, overflow="fold")
    for name in ("Customers", "%", "Net revenue 12m"):
        table.add_column(name, justify="right", no_wrap=True)
    for dimension in impact.dimensions:
        moves = [move for move in impact.moves if move.dimension == dimension]
        if moves:
            _add_dimension(table, impact, moves, bilingual)
    console.print(table)
    still = [name for name in impact.dimensions if name not in {m.dimension for m in impact.moves}]
    if still:
        console.print(f"Nobody moves by {', '.join(still)}.", style="dim", highlight=False)


def _add_dimension(table: Table, impact: Impact, moves: Sequence[Move], bilingual: bool) -> None:
    for place, move in enumerate(moves[:SHOWN_MOVES]):
        (old, old_zh), (new, new_zh) = (
            impact.labels.get((move.dimension, code or ""), (code or "(none)", code or "（无）"))
            for code in (move.from_segment, move.to_segment)
        )
        table.add_row(
            "" if place else move.dimension,
            *(old, new, *([old_zh, new_zh] if bilingual else [])),
            *_numbers(move.customers, move.net_revenue_12m, impact.customers),
        )
    blanks = [""] * (3 if bilingual else 1)
    hidden = moves[SHOWN_MOVES:]
    if hidden:
        rest = sum(move.customers for move in hidden), _revenue(hidden)
        name = f"{len(hidden)} smaller moves"
        table.add_row("", name, *blanks, *_numbers(*rest, impact.customers))
    total = sum(move.customers for move in moves), _revenue(moves)
    table.add_row("", "All who move", *blanks, *_numbers(*total, impact.customers), style="bold")
    table.add_section()


def _numbers(customers: int, revenue: Decimal, of: int) -> tuple[str, str, str]:
    return f"{customers:,}", f"{100 * customers / of:.1f}", f"{revenue:,.2f}"


def _revenue(moves: Sequence[Move]) -> Decimal:
    return sum((move.net_revenue_12m for move in moves), Decimal(0))


def _keep_codes_in_force(build: duckdb.DuckDBPyConnection, own: Home) -> None:
    """Copy the customers' codes at the newest as-of out of the attached `build`."""
    build.execute(f"attach {audit.literal(own.build_file)} as own")
    build.execute(
        f"create table own.main.{BASE} as from build.intermediate.{trial.SEGMENTS} where is_newest"
    )
    build.execute("detach own")


def _compare(
    build: duckdb.DuckDBPyConnection,
    as_of_date: date,
    asked: RuleFile,
    seeds: Mapping[str, Seed],
) -> Impact:
    """Compare the codes that a trial's build file holds, in force and changed."""
    columns = {name for name, *_ in build.execute(f"describe main.{BASE}").fetchall()}
    dimensions = tuple(name for name in DIMENSIONS if name in columns)
    moves = []
    for dimension in dimensions:
        code = quoted(dimension)
        found = build.execute(
            f"""
            with changed as (
                select customer_id, {code}, net_revenue_12m
                from intermediate.{trial.SEGMENTS} where is_newest
            )
            select
                cast({BASE}.{code} as varchar) as from_segment,
                cast(changed.{code} as varchar) as to_segment,
                count(*) as customers,
                sum(coalesce({BASE}.net_revenue_12m, changed.net_revenue_12m)) as net_revenue_12m
            from main.{BASE} full join changed using (customer_id)
            where {BASE}.{code} is distinct from changed.{code}
            group by all
            order by customers desc, from_segment nulls first, to_segment nulls first
            """
        ).fetchall()
        moves += [Move(dimension, *row) for row in found]
    labels = build.execute(
        "select dimension, code, label_en, label_zh from seeds.labels"
    ).fetchall()
    (customers,) = build.execute(f"select count(*) from main.{BASE}").fetchone() or (0,)
    return Impact(
        *(as_of_date, asked.valid_from, customers, dimensions, tuple(moves)),
        labels={(dimension, code): (en, zh) for dimension, code, en, zh in labels},
        not_compared=_not_compared(asked, seeds, dimensions),
    )


def _not_compared(
    asked: RuleFile, seeds: Mapping[str, Seed], compared: Sequence[str]
) -> tuple[str, ...]:
    """Return the changed dimensions that customers have codes of elsewhere.

    Those without labels, as order_frequency, are steps on the way to codes that are compared.
    """
    labelled = {row["dimension"] for row in seeds["labels"].rows} - set(compared)
    changed = {
        row["dimension"]
        for change in asked.changes
        for row in seeds[change.seed].rows
        if "dimension" in row and seeds[change.seed].rule_id(row) == change.rule_id
    }
    return tuple(sorted(changed & labelled))
