"""dbt for the tests' many small homes, without what it does anew for each of them.

A new home costs dbt a quarter of a minute to parse the project, and each call some eight seconds to
import dbt and what Python models use. Here the project is parsed once, and calls are forked from a
process that has imported all. What they run is the same; whoever tests how `./segments` calls dbt
starts `./segments`.
"""

import multiprocessing
import os
import pprint
import shutil
import sys
import tempfile
from pathlib import Path

import yaml
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.artifacts.resources import FileHash
from filelock import FileLock
from jinja2 import Template

from orchestration import dbt
from orchestration.home import PROJECT, Home, home

# By the project's fingerprint, so that no change of it finds an old parse.
KEPT = PROJECT / "target" / "tests" / "parsed"
PARTIAL_PARSE = "partial_parse.msgpack"


def hand_over(root: Path) -> None:
    """Give a new home what `./segments` would leave in it after it parsed this project.

    dbt parses anew where the connection is another one. Between homes only its file differs, so the
    connection's checksum in the parse is set to that of this home.
    """
    place = home(root).prepare()
    target = dbt.target_folder(place)
    parsed = parsed_once()
    old, new = (_connection_checksum(each.root).encode() for each in (parsed, place))
    kept = target / PARTIAL_PARSE
    # A copied home has the parse of the one that it is a copy of.
    if kept.exists() and new in kept.read_bytes():
        return
    source = dbt.target_folder(parsed)
    target.mkdir(parents=True, exist_ok=True)
    for name in ("manifest.json", "parsed_from"):
        shutil.copy2(source / name, target / name)
    content = (source / PARTIAL_PARSE).read_bytes()
    assert content.count(old) == 1, "dbt keeps the checksum of its connection in another way"
    kept.write_bytes(content.replace(old, new))


def parsed_once() -> Home:
    """Return a home that dbt parsed this project for, once for all workers and runs of tests."""
    place = home(KEPT / dbt.fingerprint()[:12])
    KEPT.mkdir(parents=True, exist_ok=True)
    with FileLock(KEPT / "lock"):
        dbt.prepare_manifest(place)
    return place


def call(place: Home, *arguments: str) -> None:
    """Run dbt with `arguments` against a home, as `orchestration.dbt.call` does.

    Raises:
        DbtFailed: it ended with an error.
    """
    hand_over(place.root)
    variables = {**os.environ, **dbt.environment(place)}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.warmed"])
    with tempfile.NamedTemporaryFile("r") as printed:
        process = context.Process(target=_run, args=(arguments, variables, printed.name))
        process.start()
        process.join()
        if process.exitcode != 0:
            said = printed.read()[-4000:]
            raise dbt.DbtFailed(f"dbt {' '.join(arguments)} failed:\n{said}")


def _run(arguments: tuple[str, ...], variables: dict[str, str], printed: str) -> None:
    """Run dbt in this process, which ends with it, as if it was started with `variables`."""
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(PROJECT)
    home(Path(variables["SEGMENTS_HOME"])).prepare()
    with open(printed, "w") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    from dbt.cli.main import dbtRunner

    done = dbtRunner().invoke(["--no-use-colors", *arguments])
    if done.exception is not None:
        print(done.exception, file=sys.stderr)
    sys.exit(0 if done.success else 1)


def _connection_checksum(root: Path) -> str:
    """Return dbt's checksum of the connection that `profiles.yml` describes for a home."""
    given = {**os.environ, **dbt.environment(home(root))}
    text = Template((PROJECT / "profiles.yml").read_text()).render(
        env_var=lambda name, default=None: given.get(name, default)
    )
    output = yaml.safe_load(text)["segments"]["outputs"]["duckdb"]
    fields = {name: value for name, value in output.items() if name not in ("type", "threads")}
    credentials = DuckDBCredentials.from_dict(
        DuckDBCredentials.__pre_deserialize__({"schema": "main", **fields})
    )
    return FileHash.from_contents(pprint.pformat(sorted(credentials.connection_info()))).checksum
