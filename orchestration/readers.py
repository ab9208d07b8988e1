"""How the published files are opened: read-only, and closed to everything else.

Who reads them from Python - this project, a notebook, a BI server - opens them here. `read_only`
alone would still let SQL read and write any other file that the reader may.
"""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import duckdb

from orchestration.audit import literal
from orchestration.copies import quoted
from orchestration.home import Home, memory_limit
from orchestration.versions import VersionMissing, current_number, versions_folder

MARTS = "marts.duckdb"


def open_published(
    place: Home, *files: str, version: int | None = None, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Open the published files of one version for reading, closed to all else.

    Each file is attached under its stem (`marts`, `history`, `facts`); tables answer to their bare
    names too (a cursor of the connection wants `marts.main.<table>`). SQL through it reads no other
    file, writes none, loads no extension and changes no setting, whoever runs it. The connection
    keeps its version; open again for the newest.

    Args:
        place: the home.
        files: which files, as `marts.duckdb`; by default all of the version.
        version: the version; by default the one that readers get now.
        threads: how many DuckDB may use, by default as many as there are.

    Raises:
        VersionMissing: nothing is published, or no such file.
    """
    for _ in range(3):
        number = current_number(place) if version is None else version
        # The link is resolved here, once: all files are of one version.
        folder = versions_folder(place) / str(number)
        found = sorted(folder.glob("*.duckdb"), key=lambda path: (path.name != MARTS, path.name))
        present = {path.name: path for path in found}
        if MARTS in present and present.keys() >= set(files):
            paths = [present[name] for name in files or present]
            try:
                return open_files(paths, threads)
            except (duckdb.IOException, FileNotFoundError):
                # Pruned in this moment, or broken: the latter is told.
                if all(path.is_file() for path in paths):
                    raise
        if version is not None or current_number(place) == number:
            break
    missing = next((name for name in files if name not in present), MARTS)
    raise VersionMissing(f"no {missing} is published under {place.published}: run ./segments run")


def open_files(paths: list[Path], threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open published files of one version; see `open_published`."""
    # Its own database is an empty file, opened read-only: an instance opened so attaches nothing
    # that can be written, and shares nothing with other connections of this process.
    folder = _own_folder()
    with tempfile.TemporaryDirectory(dir=folder) as here:
        main = Path(here) / "reader.duckdb"
        shutil.copyfile(folder / "empty.duckdb", main)
        connection = duckdb.connect(
            str(main),
            read_only=True,
            config={
                "memory_limit": memory_limit(),
                # Not beside the files, whose folder is not the reader's to write in, and not where
                # others of this machine could lay something in wait.
                "temp_directory": str(folder / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                **({} if threads is None else {"threads": threads}),
            },
        )
    try:
        for path in paths:
            connection.execute(f"attach {literal(path)} as {quoted(path.stem)} (read_only)")
        names = ",".join(f"{path.stem}.main" for path in paths)
        connection.execute(f"set search_path = {literal(names)}")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


@functools.cache
def _own_folder() -> Path:
    """Return this process's folder for spilled data, for its user alone, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="segments-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    duckdb.connect(str(folder / "empty.duckdb")).close()
    return folder
