"""Homes and copies of the project that the benchmarks run in, apart from the user's own."""

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import measure
from benchmarks.measure import Cost
from tests.shops import copy_project

# With it the month-end before the newest as-of is computed always: a figure for one as-of is had
# without. A model that reads otherwise is left as it is; the note of each row counts its as-ofs.
PREVIOUS_AS_OF = "    union\n    select previous_as_of_date as as_of_date from newest_as_of\n"


@dataclass(frozen=True)
class Shop:
    """A home and the copy of the project that builds it."""

    project: Path
    home: Path

    @property
    def build_file(self) -> Path:
        """The private file that dbt builds in."""
        return self.home / "warehouse" / "build.duckdb"

    def segments(self, *arguments: str | Path) -> Cost:
        """Run `./segments` and return what it cost."""
        name = "_".join(str(word).strip("-") for word in arguments[:2] if "/" not in str(word))
        return measure.run(
            [self.project / "segments", *arguments],
            {"SEGMENTS_HOME": str(self.home), "COLUMNS": "200"},
            self.home / "bench_logs" / f"{name}.log",
        )

    def dbt(self, *arguments: str) -> Cost:
        """Run dbt without a change of the project since it was parsed, and return what it cost."""
        return self.segments("dbt", *arguments)

    def prepare_dbt(self) -> None:
        """Let dbt parse the project and load the rules, so that no measured command has to."""
        self.dbt("seed", "--quiet")

    def as_ofs(self) -> int:
        """Return the number of as-of dates that the last build computed."""
        with duckdb.connect(str(self.build_file), read_only=True) as connection:
            found = connection.execute("select count(*) from intermediate.int_as_of_dates")
            return (found.fetchone() or (0,))[0]

    def dearest(self, count: int = 12) -> list[tuple[str, float]]:
        """Return the models of the last dbt command that took most wall seconds, dearest first."""
        path = self.home / "warehouse" / "target" / "run_results.json"
        results: list[dict[str, Any]] = json.loads(path.read_text())["results"]
        models = [
            (result["unique_id"].rpartition(".")[2], float(result["execution_time"]))
            for result in results
            if result["unique_id"].startswith("model.")
        ]
        return sorted(models, key=lambda model: -model[1])[:count]

    def bytes_built(self) -> int:
        """Return the size of the build file."""
        return self.build_file.stat().st_size


@dataclass(frozen=True)
class Workplace:
    """A folder for the homes of one run of the benchmarks."""

    folder: Path

    def project(self, history_months: int, only_newest: bool = False) -> Path:
        """Return a copy of the project whose history goes back this many months.

        Args:
            history_months: value of the setting of this name.
            only_newest: leave out the month-end before the newest as-of, too.
        """
        copy = self.folder / f"project_{history_months}{'_newest' if only_newest else ''}"
        shutil.rmtree(copy, ignore_errors=True)
        copy_project(copy)
        _set(copy / "seeds" / "settings.csv", "history_months", str(history_months))
        model = copy / "models" / "intermediate" / "time" / "int_as_of_dates.sql"
        if only_newest:
            model.write_text(model.read_text().replace(PREVIOUS_AS_OF, ""))
        return copy

    def shop(self, name: str, project: Path) -> Shop:
        """Return a shop with an empty home."""
        home = self.folder / name
        shutil.rmtree(home, ignore_errors=True)
        (home / "landing").mkdir(parents=True)
        return Shop(project, home)

    def remove(self, shops: Sequence[Shop]) -> None:
        """Give the space of these homes back."""
        for shop in shops:
            shutil.rmtree(shop.home, ignore_errors=True)


def _set(settings: Path, name: str, value: str) -> None:
    with settings.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if row["setting"] == name:
            row["value"] = value
    with settings.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
