"""The environment installs itself once, and the verbs are listed."""

import os
import subprocess

import pytest

from orchestration.home import PROJECT


@pytest.mark.parametrize("group", ["base", "dev"])
def test_a_second_call_installs_nothing(group: str):
    if not (PROJECT / ".venv" / ".group").exists():
        pytest.skip("this environment was not made by requirements/sync.sh")
    done = subprocess.run(
        [str(PROJECT / "requirements" / "sync.sh"), group],
        # No network, and no uv: whatever wanted to install would fail.
        env={"PATH": os.environ["PATH"], "PYTHON": "/nowhere/python3"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_bare_make_lists_the_verbs():
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert {line.split()[0] for line in done.stdout.splitlines()} >= {
        "demo",
        "test",
        "ui",
        "docs",
        "lint",
    }


def test_a_python_that_is_too_old_is_a_sentence(tmp_path):
    (tmp_path / "requirements").mkdir()
    for name in ("sync.sh", "base.txt", "uv.txt"):
        source = PROJECT / "requirements" / name
        (tmp_path / "requirements" / name).write_bytes(source.read_bytes())
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\ncase "$1" in -V) echo "Python 3.9.2";; *) exit 1;; esac\n')
    for script in (old, tmp_path / "requirements" / "sync.sh"):
        script.chmod(0o755)
    done = subprocess.run(
        [str(tmp_path / "requirements" / "sync.sh"), "base"],
        env={**os.environ, "PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "Python 3.9.2" in done.stderr
