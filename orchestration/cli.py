"""The command line, `./segments`: single steps and the main job, for a person at a terminal."""

import contextlib
import datetime
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from orchestration import dbt, progress, trouble
from orchestration.audit import BuildBusy
from orchestration.contracts import ContractError
from orchestration.home import Home, HomeUnusable, WriterBusy, home, writer_lock
from orchestration.versions import Published, VersionDamaged, VersionMissing

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The customer segmentation warehouse. State lives under SEGMENTS_HOME (default: data/).",
)
# Without a terminal there is no width to keep to, and a table should not be cut.
# An own handle of the terminal: while a step runs, Dagster and dbt turn stdout to their logs.
console = Console(
    file=os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1),
    width=None if Console().is_terminal else 160,
)
errors = Console(stderr=True)

SHOWN_FINDINGS = 20


def fail(message: str) -> typer.Exit:
    """Print what went wrong and return the exit that ends the command."""
    errors.print(f"[bold red]Error:[/bold red] {escape(message)}", highlight=False, soft_wrap=True)
    return typer.Exit(1)


@contextlib.contextmanager
def explained(place: Home) -> Iterator[None]:
    """Settle the process for a home, and turn the errors that a user can mend into a sentence."""
    # Imported here: they pull in the database, which `--help` needs not.
    from orchestration.copies import CopyDiffers
    from orchestration.ingest import IngestError
    from orchestration.past import NotPossible
    from orchestration.publish import NotPublishable
    from orchestration.withdraw import NotWithdrawable

    os.umask(0o027)
    os.environ["SEGMENTS_HOME"] = str(place.root)
    try:
        place.prepare()
        yield
    except (HomeUnusable, WriterBusy, BuildBusy, NotPublishable) as error:
        raise fail(str(error)) from error
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
            with (
                console.status("starting") as status,
                progress.heard_by(lambda message: status.update(escape(message))),
            ):
                yield
        else:
            with progress.heard_by(_say_new_stage()):
                yield


def _say_new_stage() -> progress.Listener:
    """Without a terminal, print the first message of each stage: a log needs no counter."""
    seen: set[str] = set()

    def listener(message: str) -> None:
        stage = message.split(":", 1)[0]
        if stage not in seen:
            seen.add(stage)
            errors.print(f"... {escape(message)}", highlight=False)

    return listener


@app.command()
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
    with told(place):
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
    _print_published(place)


@app.command()
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


@app.command("ingest")
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


@app.command("publish")
def publish_command() -> None:
    """Publish the last build, if it passed whole and nothing was delivered since."""
    place = home()
    with told(place):
        from orchestration.publish import publish

        publish(place, progress=progress.stage("publish"))
    _print_published(place)


@app.command()
def rollback(
    to: Annotated[int | None, typer.Option(help="Version; default: the one before.")] = None,
) -> None:
    """Switch readers back to an older version."""
    place = home()
    with told(place):
        from orchestration.versions import rollback as switch_back

        published = switch_back(place, to)
    _print_switch(published)


@app.command("withdraw")
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


@app.command()
def status() -> None:
    """Show what is published, from which deliveries, as of when, and the disk it uses."""
    from orchestration.status import render_status
    from orchestration.status import status as read_status

    place = home()
    with explained(place):
        state = read_status(place)
    render_status(state, console)


@app.command("dbt", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
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


@app.command("ui")
def ui_command(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000) -> None:
    """Serve Dagster's UI with its daemon, on this machine only: it has no login."""
    from orchestration.pipeline import settle_environment

    place = home()
    with explained(place):
        settle_environment(place)
    os.chdir(dbt.PROJECT)
    dagster = dbt.EXECUTABLE.with_name("dagster")
    os.execv(
        dagster,
        [
            str(dagster),
            "dev",
            "--module-name",
            "orchestration.definitions",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ],
    )


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


def _print_published(place: Home) -> None:
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
    console.print(
        f"Published version {shown.get('version')} as of {shown.get('as_of_date') or 'no day'}: "
        f"{place.published / 'current'}/marts.duckdb, history.duckdb and facts.duckdb",
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        "Next: ./segments status, make ui (the pipeline), make docs (the models), or open "
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
