"""The published files are opened read-only and closed to everything else."""

import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

from orchestration.home import PROJECT, Home, home
from orchestration.publish import publish
from orchestration.readers import _own_folder, open_published
from orchestration.versions import VersionMissing
from tests.orchestration.publish_builds import make_build


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Home:
    place = home(tmp_path_factory.mktemp("readers"))
    make_build(place)
    publish(place)
    return place


def test_all_files_of_the_version_answer_by_bare_and_full_names(place):
    with open_published(place) as published:
        bare = published.execute("select count(*) from customer_segments").fetchone()
        cursor = published.cursor()
        assert (
            cursor.execute("select count(*) from marts.main.customer_segments").fetchone() == bare
        )
        attached = {name for (name,) in published.execute("from (show databases)").fetchall()}
    files = {path.stem for path in (place.published / "current").glob("*.duckdb")}
    assert "marts" in files
    assert attached >= files


# What SQL could do to get out, with {out} a folder to write to, {published} the version's folder.
ESCAPES = (
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd', header = false, columns = {{'a': 'varchar'}})",
    "select * from '/etc/passwd'",
    "select * from glob('/etc/*')",
    "select * from read_blob('{build}')",
    "attach '{build}' as private (read_only)",
    "attach '{out}/new.duckdb' as new",
    "attach ':memory:' as new",
    "copy customer_segments to '{out}/copied.csv'",
    "export database '{out}/exported'",
    "copy (select 1) to '{published}/marts.duckdb'",
    "install httpfs",
    "load httpfs",
    "install '{out}/any.duckdb_extension'",
    "create persistent secret held (type s3)",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "reset lock_configuration",
    "set allowed_directories = ['/']",
    "set allowed_paths = ['/etc/passwd']",
    "set temp_directory = '{out}'",
    "set log_query_path = '{out}/queries'",
    "set autoinstall_known_extensions = true",
    "call enable_logging(storage = 'file', storage_path = '{out}')",
    "create table marts.main.mine as select 1",
    "create table mine as select 1",
    "delete from customer_segments",
    "drop table customer_segments",
)


@pytest.mark.parametrize("escape", ESCAPES)
def test_sql_reaches_no_other_file_and_changes_nothing(place, tmp_path, escape):
    statement = escape.format(
        out=tmp_path, build=place.build_file, published=(place.published / "current").resolve()
    )
    with open_published(place) as published:
        with pytest.raises(duckdb.Error):
            published.execute(statement).fetchall()
        with pytest.raises(duckdb.Error):
            published.cursor().execute(statement).fetchall()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_let_go_comes_back_read_only(place):
    """In a process of its own: others that have the file open would refuse to have it written."""
    script = """
        import sys, duckdb
        from orchestration.home import home
        from orchestration.readers import open_published

        place = home(sys.argv[1])
        path = (place.published / "current" / "facts.duckdb").resolve()
        with open_published(place) as published:
            published.execute("detach facts")
            for name, option in (("one", ""), ("two", " (read_write)")):
                try:
                    published.execute(f"attach '{path}' as {name}{option}")
                    published.execute(f"create table {name}.main.mine as select 1")
                except duckdb.Error as error:
                    print(error)
                else:
                    print("WRITTEN")
    """
    found = python(script, place.root)
    assert "WRITTEN" not in found
    assert "read-only" in found


def test_only_published_files_are_opened(place):
    for name in ("build.duckdb", "../../../warehouse/build.duckdb", str(place.build_file), ""):
        with pytest.raises(VersionMissing):
            open_published(place, name)
    with pytest.raises(VersionMissing):
        open_published(place, version=99)


def test_what_spills_over_lies_in_a_private_folder_that_goes_with_the_process(place):
    folder = _own_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with open_published(place) as published:
        (spill,) = published.execute("select current_setting('temp_directory')").fetchone()
    assert Path(spill).parent == folder
    script = """
        import sys
        from orchestration.home import home
        from orchestration.readers import _own_folder, open_published

        with open_published(home(sys.argv[1])):
            print(_own_folder())
    """
    assert not Path(python(script, place.root).strip()).exists()


def test_nobody_in_the_project_opens_published_files_by_hand():
    """One way to open them; the publisher alone looks at what it writes."""
    by_hand = [
        path.name
        for folder in ("orchestration", "dashboard")
        for path in (PROJECT / folder).rglob("*.py")
        if "(read_only)" in path.read_text(encoding="utf-8")
    ]
    # The dictionary's page tells readers how; the others open the build file, the copies just
    # written (triggers too), the kept history, and patches to what is published.
    told = ["dictionary.py"]
    publishers = ["audit.py", "control.py", "copies.py", "patches.py", "triggers.py"]
    assert sorted(by_hand) == sorted([*publishers, *told, "readers.py"])


def python(script: str, *arguments: object) -> str:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
