"""How this project calls dbt: executable, arguments, environment, and the parsed manifest."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.home import PROJECT, Home

# By path: another dbt may come first on PATH.
EXECUTABLE = Path(sys.executable).parent / "dbt"
PARSED = ("dbt_project.yml", "profiles.yml", "models", "seeds", "macros", "tests")
# What a change of makes everything be built anew; Python models call `estimation`.
BUILT_FROM = ("dbt_project.yml", "models", "macros", "estimation")
PARSED_SUFFIXES = {".sql", ".yml", ".md", ".csv", ".py"}

# A run builds and tests everything; unit tests check the project, not the data, and belong to
# `make test`.
BUILD_ARGUMENTS = ("build", "--exclude-resource-type", "unit_test")


class DbtFailed(Exception):
    """A dbt command ended with an error; the message holds what it printed last."""


@dataclass(frozen=True)
class Finding:
    """A model or test that did not pass.

    `status` is `error`, `fail` or `warn`, `message` dbt's own, `details` lines to print below.
    """

    unique_id: str
    status: str
    message: str
    details: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The node's own name, without its kind and project."""
        return self.unique_id.split(".")[2]


def target_folder(place: Home) -> Path:
    """Return where dbt writes the artifacts of the runs of a home."""
    return place.warehouse / "target"


def environment(place: Home) -> dict[str, str]:
    """Return the variables that point dbt to a home and keep it from calling anybody."""
    return {
        "SEGMENTS_HOME": str(place.root),
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_TARGET_PATH": str(target_folder(place)),
        "DBT_LOG_PATH": str(place.logs / "dbt"),
        # To write down all that happens inside, dbt's own level `debug`, takes a tenth of a run.
        "DBT_LOG_LEVEL_FILE": os.environ.get("DBT_LOG_LEVEL_FILE", "info"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "false",
        "DO_NOT_TRACK": "1",
    }


def fingerprint(project: Path = PROJECT) -> str:
    """Return a checksum over every file that dbt parses, and over dbt's own place."""
    digest = hashlib.sha256(str(EXECUTABLE).encode())
    for name in PARSED:
        root = project / name
        _add_files(digest, project, [root] if root.is_file() else sorted(root.rglob("*")))
    return digest.hexdigest()


def code_version(project: Path = PROJECT) -> str:
    """Return 12 hexadecimal digits that change with any model, macro or estimation."""
    digest = hashlib.sha256()
    for name in BUILT_FROM:
        root = project / name
        _add_files(digest, project, [root] if root.is_file() else sorted(root.rglob("*")))
    return digest.hexdigest()[:12]


def rule_version(seeds: Path = PROJECT / "seeds") -> str:
    """Return 12 hexadecimal digits that change with any rule: a sha256 over the seeds' CSVs."""
    digest = hashlib.sha256()
    _add_files(digest, seeds, sorted(seeds.rglob("*.csv")))
    return digest.hexdigest()[:12]


def _add_files(digest: "hashlib._Hash", root: Path, files: list[Path]) -> None:
    for file in files:
        if file.suffix in PARSED_SUFFIXES and file.is_file():
            content = file.read_bytes()
            # Name and length first, so that rows moved between files count as a change.
            digest.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)


def prepare_manifest(place: Home) -> Path:
    """Return the project's manifest for a home, parsed anew only if a file changed.

    Raises:
        DbtFailed: the project does not parse.
    """
    place.prepare()
    manifest = target_folder(place) / "manifest.json"
    stamp = target_folder(place) / "parsed_from"
    now = fingerprint()
    if manifest.exists() and stamp.exists() and stamp.read_text() == now:
        return manifest
    # From nothing: a partial parse loses what the YAML of an edited singular test says of it.
    call(place, "--no-partial-parse", "parse")
    stamp.write_text(now)
    return manifest


def read_nodes(place: Home) -> dict[str, dict[str, Any]]:
    """Return the nodes of the project's manifest by their unique id.

    Raises:
        DbtFailed: the project does not parse.
    """
    return json.loads(prepare_manifest(place).read_text())["nodes"]


def call(place: Home, *arguments: str) -> str:
    """Run dbt with `arguments` against a home and return what it printed.

    Raises:
        DbtFailed: it ended with an error.
    """
    place.prepare()
    done = subprocess.run(
        [str(EXECUTABLE), "--no-use-colors", *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DbtFailed(f"dbt {' '.join(arguments)} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def stop(process: subprocess.Popen[bytes], wait_seconds: float = 10.0) -> None:
    """End a dbt that still runs, and return when it is gone; what it committed stays."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def read_results(place: Home) -> list[dict[str, Any]]:
    """Return the results of the home's last dbt command that ran nodes; empty if there is none."""
    path = target_folder(place) / "run_results.json"
    return json.loads(path.read_text())["results"] if path.exists() else []


def findings(results: list[Mapping[str, Any]]) -> list[Finding]:
    """Return what failed or warned among dbt's results, errors first.

    Messages of failing tests count rows and never quote them.
    """
    found = [
        Finding(
            unique_id=result["unique_id"],
            status="error" if result["status"] == "runtime error" else result["status"],
            message=" ".join((result.get("message") or "").split()),
        )
        for result in results
        if result["status"] in ("error", "runtime error", "fail", "warn")
    ]
    order = {"error": 0, "fail": 1, "warn": 2}
    return sorted(found, key=lambda finding: (order[finding.status], finding.name))
