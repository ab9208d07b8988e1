"""The command line, `./segments`: single steps and the main job, for a person at a terminal."""

import contextlib
import datetime
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from orchestration import dbt, progress, trouble
from orchestration.audit import BuildBusy
from orchestration.contracts import ContractError
from orchestration.home import (
    Home,
    HomeUnusable,
    WriterBusy,
    hold_daemon_lock,
    home,
    writer_lock,
)
from orchestration.terminal import PlainConsole
from orchestration.versions import Published, VersionDamaged, VersionMissing, current
from orchestration.wording import ERRORS, Language

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The customer segmentation warehouse: raw orders and interactions in, segments out.\n\n"
    "State lives under SEGMENTS_HOME (default: data/). Start with `generate` for a sample shop, or "
    "files under data/landing/<source>/<feed>/, then `run`.",
)
# Without a terminal there is no width to keep to, and a table should not be cut.
# An own handle of the terminal: while a step runs, Dagster and dbt turn stdout to their logs.
console = PlainConsole(
    file=os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1),
    width=None if Console().is_terminal else 160,
)
errors = PlainConsole(stderr=True)

SHOWN_FINDINGS = 20

# Headings of `--help`.
DAILY = "Daily use"
RULES = "Rules"
REPAIR = "Undo"
STEPS = "Single steps"
SERVERS = "Servers, on this machine only"


def fail(message: str, title: str = "Error:") -> typer.Exit:
    """Print what went wrong and return the exit that ends the command."""
    errors.print(f"[bold red]{title}[/bold red] {escape(message)}", highlight=False, soft_wrap=True)
    return typer.Exit(1)


@contextlib.contextmanager
def explained(place: Home) -> Iterator[None]:
    """Settle the process for a home, and turn the errors that a user can mend into a sentence."""
    # Imported here: they pull in the database, which `--help` needs not.
    from orchestration.copies import CopyDiffers
    from orchestration.ingest import IngestError
    from orchestration.past import NotPossible
    from orchestration.publish import NotPublishable
    from orchestration.rules import RulesError
    from orchestration.trial import RulesRefused
    from orchestration.what_if import WhatIfNotPossible
    from orchestration.withdraw import NotWithdrawable

    os.environ["SEGMENTS_HOME"] = str(place.root)
    try:
        place.prepare()
        yield
    except (
        *(HomeUnusable, WriterBusy, BuildBusy, NotPublishable),
        *(RulesError, WhatIfNotPossible),
    ) as error:
        raise fail(str(error)) from error
    except RulesRefused as error:
        _print_findings(error.findings)
        raise fail(f"{error}.") from error
    except (
        ContractError,
        IngestError,
        NotPossible,
        NotWithdrawable,
        CopyDiffers,
        VersionMissing,
        VersionDamaged,
        dbt.DbtFailed,
    ) as error:
        raise fail(trouble.sentence(error, place.root) or str(error)) from error
    except typer.Exit:
        raise
    except Exception as error:
        sentence = trouble.sentence(error, place.root)
        if sentence is None:
            raise
        raise fail(sentence) from error


@contextlib.contextmanager
def told(place: Home) -> Iterator[None]:
    """Show progress, a moving line on a terminal and one line a stage elsewhere."""
    with explained(place):
        if console.is_terminal:
            columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
            with Progress(*columns, console=console, transient=True) as shown:
                task = shown.add_task("starting", total=None)
                with progress.heard_by(
                    lambda message: shown.update(task, description=escape(message))
                ):
                    yield
        else:
            with progress.heard_by(_say_new_stage(time.monotonic())):
                yield


def _say_new_stage(since: float) -> progress.Listener:
    """Without a terminal, print the first message of each stage: a log needs no counter."""
    seen: set[str] = set()

    def listener(message: str) -> None:
        stage = message.split(":", 1)[0]
        if stage not in seen:
            seen.add(stage)
            errors.print(f"... {escape(message)} ({elapsed(since)})", highlight=False)

    return listener


def elapsed(since: float) -> str:
    """Return the time since a reading of the monotonic clock, as 0:07 or 1:02:33."""
    minutes, seconds = divmod(int(time.monotonic() - since), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@app.command(rich_help_panel=DAILY)
def run(
    landing: Annotated[
        Path | None, typer.Option(help="Folder of delivered files, <source>/<feed>/<file>.")
    ] = None,
    backfill: Annotated[
        str | None,
        typer.Option(
            metavar="FROM",
            help="Compute the history's month-ends from this day (YYYY-MM-DD) on anew.",
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Build the warehouse of this past day, in the place --out."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="New folder for the warehouse of a past day.")
    ] = None,
) -> None:
    """Ingest, build, test, publish. Exit code 0 only if a new version was published."""
    place = home()
    restate_from, last_day = _day(backfill, "--backfill"), _day(as_of, "--as-of")
    if (last_day is None) != (out is None) or (last_day and restate_from):
        raise fail("--as-of and --out belong together, and --backfill goes without them.")
    delivered = _landing(landing)
    since = time.monotonic()
    with told(place):
        rules_before = _published_rules(place)
        from orchestration.control import Request
        from orchestration.past import prepare
        from orchestration.pipeline import refresh

        if last_day and out:
            place = prepare(place, last_day, out, delivered)
        outcome = refresh(
            place, landing=delivered, request=Request(restate_from=restate_from, last_day=last_day)
        )
    _print_warnings(outcome.warnings)
    # On a full disk every model says so: once is enough.
    _print_findings(
        [found for found in outcome.findings if not trouble.sentence(found.message, place.root)]
    )
    if outcome.failed_step is not None:
        served = (
            "Readers keep the last good version." if _serves(place) else "Nothing is published."
        )
        told_by = [outcome.problem or "", *(found.message for found in outcome.findings)]
        refused = trouble.sentence("\n".join(told_by), place.root)
        if refused is not None:
            raise fail(f"{outcome.failed_step}: {refused} {served}")
        if outcome.failed_step == "build":
            broken = [found.name for found in outcome.findings if found.status != "warn"]
            reason = f"failed: {', '.join(broken)}" if broken else outcome.problem
            raise fail(f"The build did not pass, so nothing was published. {reason}. {served}")
        problem = (outcome.problem or "").rstrip(".")
        raise fail(f"{outcome.failed_step}: {problem}. {served}")
    _print_published(place, rules_before, f", in {elapsed(since)}")


@app.command(rich_help_panel=STEPS)
def generate(
    customers: Annotated[int, typer.Option(help="Number of customers.")] = 2000,
    months: Annotated[int, typer.Option(help="Months of history.")] = 30,
    seed: Annotated[int, typer.Option(help="Same seed, same files.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder that gets landing/ and truth/; default: the home.")
    ] = None,
    behaviour: Annotated[str, typer.Option(help="bgnbd or seasonal.")] = "bgnbd",
    end: Annotated[str, typer.Option(help="Last day of the shop.")] = "2026-06-30",
    file_format: Annotated[str, typer.Option("--format", help="csv, csv.gz or parquet.")] = "csv",
) -> None:
    """Write the sample shop: delivered files in OUT/landing, the planted truth in OUT/truth."""
    place = home()
    with told(place):
        from sample.generate import generate as make

        try:
            shop = make(
                out or place.root,
                customers,
                months,
                seed,
                behaviour,
                datetime.date.fromisoformat(end),
                file_format,
                progress.stage("generate"),
            )
        except (ValueError, FileExistsError) as error:
            raise fail(str(error)) from error
    rows = ", ".join(f"{count:,} {feed}" for feed, count in shop.rows.items())
    console.print(f"Wrote {rows}", highlight=False)
    console.print(
        f"Delivered files: {shop.landing}\nPlanted truth:   {shop.truth}", highlight=False
    )


@app.command("ingest", rich_help_panel=STEPS)
def ingest_command(
    landing: Annotated[
        Path | None, typer.Option(help="Folder of delivered files, <source>/<feed>/<file>.")
    ] = None,
) -> None:
    """Take in what was delivered, and stop there."""
    place = home()
    with told(place):
        from orchestration.ingest import ingest

        report = ingest(place, landing=_landing(landing), progress=progress.stage("ingest"))
    for result in report.results:
        console.print(
            f"{result.status:<9} {result.source}/{result.feed}/{result.file_name}: "
            f"{result.rows_landed:,} rows, {result.rows_quarantined:,} quarantined",
            markup=False,
            highlight=False,
        )
    _print_warnings(report.warnings)
    console.print(
        f"{len(report.results)} deliveries, {report.already_known} already known, "
        f"{len(report.waiting)} still being written.",
        highlight=False,
    )


@app.command("publish", rich_help_panel=STEPS)
def publish_command() -> None:
    """Publish the last build, if it passed whole and nothing was delivered since."""
    place = home()
    with told(place):
        from orchestration.publish import publish

        rules_before = _published_rules(place)
        publish(place, progress=progress.stage("publish"))
    _print_published(place, rules_before)


@app.command(rich_help_panel=REPAIR)
def rollback(
    to: Annotated[int | None, typer.Option(help="Version; default: the one before.")] = None,
) -> None:
    """Switch readers back to an older version."""
    place = home()
    with told(place):
        from orchestration.versions import rollback as switch_back

        published = switch_back(place, to)
    _print_switch(published)


@app.command("withdraw", rich_help_panel=REPAIR)
def withdraw_command(
    delivery: Annotated[int, typer.Argument(help="Number of the delivery, as in `deliveries`.")],
) -> None:
    """Undo a wrong file: the delivery stays in the ledger, marked, and counts nowhere."""
    place = home()
    with told(place):
        from orchestration.withdraw import withdraw

        undone = withdraw(place, delivery)
    console.print(
        f"Withdrew delivery {undone.delivery_id}, {undone.source}/{undone.feed}/"
        f"{undone.file_name}: {undone.rows_landed:,} rows. Next: ./segments run, which builds "
        f"everything anew and publishes.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@app.command("what-if", rich_help_panel=RULES)
def what_if_command(
    file: Annotated[Path, typer.Argument(help="Rule file, as `calibrate` writes one.")],
) -> None:
    """Show who would move under changed rules, and how much money with them; change nothing."""
    place = home()
    with told(place):
        from orchestration.what_if import render, what_if, write_csv

        impact = what_if(place, file)
        path = place.exports / f"what-if-{file.stem}.csv"
        write_csv(impact, path)
    render(impact, console)
    _print_next(f"Written to {path}. To take the rules over: ./segments adopt {file}")


@app.command("calibrate", rich_help_panel=RULES)
def calibrate_command(
    out: Annotated[
        Path | None, typer.Option(help="Rule file to write; default: exports/rules-<as-of>.csv.")
    ] = None,
    valid_from: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="From when on they are to hold; default: the first of the newest as-of's month.",
        ),
    ] = None,
) -> None:
    """Propose cut points from the published customers as a rule file; change nothing."""
    place = home()
    day = _day(valid_from, "--valid-from")
    with told(place):
        from orchestration.calibrate import calibrate, render, write_rule_file

        found = calibrate(place, day)
        path = out or place.exports / f"rules-{found.as_of_date}.csv"
        if found.changes:
            write_rule_file(found, path)
    render(found, console)
    if found.changes:
        _print_next(
            f"Written to {path}, to hold from {found.valid_from} on; nothing has changed. Edit it "
            f"as you see fit. Who would move: ./segments what-if {path}"
        )
    else:
        _print_next("The rules in force are what would be proposed, so no file was written.")


@app.command("adopt", rich_help_panel=RULES)
def adopt_command(
    file: Annotated[Path, typer.Argument(help="Rule file, as `calibrate` writes one.")],
) -> None:
    """Take the rules of a file over into seeds/: old rows are closed, new dated ones added."""
    place = home()
    with told(place):
        from orchestration.adopt import adopt

        adopted = adopt(place, file)
    for change, before in adopted.changes:
        console.print(
            f"{change.seed} {change.rule_id} {change.column}: {before or '(blank)'} -> "
            f"{change.value or '(blank)'} from {adopted.valid_from} on",
            markup=False,
            highlight=False,
        )
    if adopted.files:
        written = ", ".join(str(path) for path in adopted.files)
        _print_next(f"Written to {written}. Next: ./segments run")
    else:
        _print_next("All of it holds already: nothing was written.")


@app.command(rich_help_panel=DAILY)
def status() -> None:
    """Show what is published, from which deliveries, as of when, and the disk it uses."""
    from orchestration.status import render_status
    from orchestration.status import status as read_status

    place = home()
    with explained(place):
        state = read_status(place)
    render_status(state, console)


@app.command("explain", rich_help_panel=DAILY)
def explain_command(
    customer: Annotated[
        str, typer.Argument(help="<source>:<id>, or the id alone where one source has it.")
    ],
    lang: Annotated[Language, typer.Option(help="Language of the explanation.")] = Language.en,
    every: Annotated[
        bool, typer.Option("--all", help="Add every reason, with its rule and bounds.")
    ] = False,
) -> None:
    """Say why a customer is in its segment, what would lift it, and when it falls."""
    from orchestration.evidence import CustomerNotFound, read_evidence
    from orchestration.explain import explain, render, render_reasons

    place = home()
    with explained(place):
        try:
            evidence = read_evidence(place, customer, lang)
        except CustomerNotFound as error:
            raise fail(str(error), ERRORS["title"].say(lang)) from error
    render(explain(evidence, lang), lang, console)
    if every:
        render_reasons(evidence, lang, console)


@app.command(
    "dbt",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    rich_help_panel=STEPS,
)
def dbt_command(context: typer.Context) -> None:
    """Call dbt against this home, e.g. `./segments dbt test`."""
    place = home()
    with explained(place):
        os.environ.update(dbt.environment(place))
        if {"build", "run"} & set(context.args) and place.build_file.exists():
            from orchestration import control

            # What was edited since the last ingestion is built anew.
            with writer_lock(place, "dbt"):
                control.begin(place)
    os.chdir(dbt.PROJECT)
    os.execv(dbt.EXECUTABLE, [str(dbt.EXECUTABLE), *context.args])


ENVIRONMENT_HELP = (
    "What this is: development, staging or production; default: SEGMENTS_ENVIRONMENT."
)


@app.command("ui", rich_help_panel=SERVERS)
def ui_command(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
    environment: Annotated[str | None, typer.Option(help=ENVIRONMENT_HELP)] = None,
) -> None:
    """Serve Dagster's UI with its daemon; it has no login."""
    _serve_dagster(
        environment,
        f"Dagster: http://127.0.0.1:{port} (Ctrl-C ends it and its daemon)",
        *("dagster", "dev", "--host", "127.0.0.1", "--port", str(port)),
    )


@app.command("daemon", rich_help_panel=SERVERS)
def daemon_command(
    environment: Annotated[str | None, typer.Option(help=ENVIRONMENT_HELP)] = None,
) -> None:
    """Run Dagster's daemon alone: schedules, sensors and the queue of runs."""
    _serve_dagster(
        environment, "Dagster's daemon (Ctrl-C ends it; a run goes on)", "dagster-daemon", "run"
    )


def _serve_dagster(environment: str | None, told: str, program: str, *arguments: str) -> None:
    """Become a program of Dagster that stays, the only one on this home."""
    from orchestration.pipeline import settle_environment
    from orchestration.schedules import VARIABLE, EnvironmentUnknown
    from orchestration.schedules import environment as known_environment

    place = home()
    with explained(place):
        try:
            name = known_environment(environment or os.environ.get(VARIABLE), is_required=True)
        except EnvironmentUnknown as error:
            raise fail(str(error)) from error
        settle_environment(place)
        hold_daemon_lock(place)
    os.environ[VARIABLE] = str(name)
    # Dagster's own programs do not look for modules in the working directory.
    os.environ["PYTHONPATH"] = str(dbt.PROJECT)
    os.chdir(dbt.PROJECT)
    console.print(f"{told}, environment {name}", markup=False, highlight=False)
    path = dbt.EXECUTABLE.with_name(program)
    os.execv(path, [str(path), *arguments, "--module-name", "orchestration.definitions"])


@app.command("dashboard", rich_help_panel=SERVERS)
def dashboard_command(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8501,
) -> None:
    """Serve the dashboard of what is published; it has no login."""
    from dashboard.serve import NotInstalled, serve

    place = home()
    with explained(place):
        console.print(f"Dashboard: http://127.0.0.1:{port} (Ctrl-C ends it)", highlight=False)
        try:
            raise typer.Exit(serve(place, port))
        except NotInstalled as error:
            raise fail(str(error)) from error


def _day(given: str | None, option: str) -> datetime.date | None:
    """Return the day meant by an option."""
    if given is None:
        return None
    try:
        day = datetime.date.fromisoformat(given)
    except ValueError:
        raise fail(f"{option} {given}: not a day, write it as YYYY-MM-DD.") from None
    if not datetime.date(1990, 1, 1) <= day <= datetime.date(9000, 1, 1):
        raise fail(f"{option} {given}: no day of business.")
    return day


def _landing(given: Path | None) -> Path | None:
    """Return the landing folder meant: itself, or the `landing` in what `generate` wrote."""
    if given is None:
        return None
    if not given.is_dir():
        raise fail(f"there is no folder {given}: --landing wants the one with <source>/<feed>/.")
    inner = given / "landing"
    return inner if inner.is_dir() else given


def _serves(place: Home) -> bool:
    return (place.published / "current").exists()


def _print_warnings(warnings: list[str]) -> None:
    for warning in warnings:
        errors.print(
            f"[yellow]Warning:[/yellow] {escape(warning)}", highlight=False, soft_wrap=True
        )


def _print_next(message: str) -> None:
    console.print(message, markup=False, highlight=False, soft_wrap=True)


def _print_findings(findings: list[dbt.Finding]) -> None:
    for found in findings[:SHOWN_FINDINGS]:
        colour = "yellow" if found.status == "warn" else "red"
        errors.print(
            f"[{colour}]{found.status:<5}[/{colour}] {escape(found.name)}: {escape(found.message)}",
            highlight=False,
            soft_wrap=True,
        )
        for detail in found.details:
            errors.print(f"      {escape(detail)}", highlight=False, soft_wrap=True)
    if len(findings) > SHOWN_FINDINGS:
        errors.print(f"... and {len(findings) - SHOWN_FINDINGS} more.")


def _published_rules(place: Home) -> str | None:
    """Return the rule version that readers get now, None where there is none that can be read."""
    try:
        return (current(place) or {}).get("rule_version")
    except VersionDamaged:
        return None


def _print_published(place: Home, rules_before: str | None, took: str = "") -> None:
    from orchestration.band_shares import odd_bands
    from orchestration.report import (
        render_notes,
        render_rejections,
        render_segments,
        segment_rows,
    )
    from orchestration.status import status as read_status

    rows = segment_rows(place)
    if rows:
        render_segments(rows, console)
    else:
        errors.print(
            "[yellow]Warning:[/yellow] there are no segments: no order, refund or interaction was "
            "accepted. Deliveries belong in <landing>/<source>/<feed>/; see deliveries and "
            "rejected_rows.",
            highlight=False,
            soft_wrap=True,
        )
    render_notes(place, console)
    render_rejections(place, console)
    state = read_status(place)
    for feed in state.feeds or []:
        refused = feed.states.get("refused", 0)
        if refused or feed.rows_quarantined:
            errors.print(
                f"[yellow]Warning:[/yellow] {feed.source}/{feed.feed}: {refused} files refused, "
                f"{feed.rows_quarantined:,} rows quarantined; see deliveries and rejected_rows.",
                highlight=False,
                soft_wrap=True,
            )
    shown = state.published or {}
    waiting = shown.get("history", {}).get("marked", [])
    if waiting:
        errors.print(
            f"[yellow]Warning:[/yellow] {len(waiting)} month-ends of the history, {waiting[0]} to "
            f"{waiting[-1]}, know nothing yet of facts that came late. To restate them: "
            f"./segments run --backfill {waiting[0]}",
            highlight=False,
            soft_wrap=True,
        )
    # Once for each set of rules: who has read it and keeps his cuts need not read it every day.
    if rows and shown.get("rule_version") != rules_before:
        _print_warnings([str(band) for band in odd_bands(place)])
    console.print(
        f"Published version {shown.get('version')} as of {shown.get('as_of_date') or 'no day'}"
        f"{took}: {place.published / 'current'}/marts.duckdb, history.duckdb and facts.duckdb",
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        "Next: make dashboard (the figures), ./segments status, make ui (the pipeline), make docs "
        "(the models), or open "
        "marts.duckdb read-only in any BI tool: customer_segments is where to start.",
        highlight=False,
        soft_wrap=True,
    )


def _print_switch(published: Published) -> None:
    console.print(
        f"Readers now get version {published.version}, as of {published.as_of_date}.",
        highlight=False,
    )


if __name__ == "__main__":
    app(prog_name="./segments")
