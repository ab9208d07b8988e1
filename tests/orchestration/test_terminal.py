"""What was delivered reaches a person's terminal without its control characters."""

import io
import os
import pty
import re
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.markup import escape
from rich.table import Table

from orchestration import cli
from orchestration.home import PROJECT
from orchestration.report import SegmentRow, render_segments
from orchestration.terminal import PlainConsole, shown

HOSTILE = "C1\x1b]0;owned\x07\x1b[2J\x9b31m\x00\u202e\x7f\r"


def printed(renderable: object, width: int = 120) -> str:
    stream = io.StringIO()
    PlainConsole(file=stream, width=width).print(renderable, highlight=False)
    return stream.getvalue()


@pytest.mark.parametrize("where", ["text", "cell", "title"])
def test_control_characters_are_shown_and_not_sent(where):
    table = Table("id", title=escape(HOSTILE) if where == "title" else None)
    table.add_row(escape(HOSTILE))
    found = printed(escape(HOSTILE) if where == "text" else table)
    assert found.replace("\n", "").isprintable()
    assert "owned" in found
    assert "\u241b" in found


@given(st.text(max_size=30), st.integers(10, 40))
def test_no_text_and_no_width_lets_one_through(text, width):
    assert not set(printed(escape(text), width)) - {"\n"} & {chr(c) for c in (*range(32), 127)}
    assert shown(shown(text)) == shown(text)


def test_styles_are_still_sent():
    stream = io.StringIO()
    console = PlainConsole(file=stream, force_terminal=True, color_system="standard", width=80)
    console.print("[bold]x[/bold]\x1b[31m")
    assert stream.getvalue().startswith("\x1b[1mx")
    assert "\x1b[31m" not in stream.getvalue()


ROWS = [
    SegmentRow(
        *("top", "Top", "核心客户", 1_288_123, 29),
        *(Decimal("3336198123.78"), Decimal("-279572.02"), 18.0, 10.04),
    ),
    SegmentRow(
        *("high_value_to_activate", "High value to activate", "待激活高价值客户", 66, -4),
        *(Decimal("1522529.65"), Decimal(0), 64.5, 10.3),
    ),
    SegmentRow("prospect", "Prospect", "潜在客户", 1, 0, Decimal(0), Decimal(0), None, 0.0),
]


@pytest.mark.parametrize("width", [72, 80, 100, 120, 160])
def test_the_segments_are_printed_with_change_and_no_number_is_cut(width):
    stream = io.StringIO()
    render_segments(ROWS, PlainConsole(file=stream, width=width))
    text = stream.getvalue()
    assert max(len(line) for line in text.splitlines()) <= width
    top = next(line for line in text.splitlines() if line.strip().startswith("Top"))
    # 3,336,198,123.78 of 3,337,720,653.43 are 99.954%.
    expected = ["Top", "1,288,123", "+29", "3,336,198,123.78", "100.0"]
    assert [word for word in top.split() if word in expected] == [
        *expected[:3],
        *(["100.0"] if width >= 92 else []),
        *expected[3:],
    ]
    assert ("-279,572.02" in top) == (width >= 86)
    assert ("核心客户" in top) == (width >= 138)
    assert re.search(r"All +1,288,190 +\+25 ", text)
    assert "3,337,720,653.43" in text


def test_colours_go_to_a_terminal_only():
    for is_terminal in (True, False):
        stream = io.StringIO()
        render_segments(
            ROWS,
            PlainConsole(
                file=stream, width=160, force_terminal=is_terminal, color_system="standard"
            )
            if is_terminal
            else PlainConsole(file=stream, width=160),
        )
        assert ("\x1b[" in stream.getvalue()) == is_terminal


def test_elapsed_time_reads_as_a_clock(monkeypatch):
    monkeypatch.setattr(cli.time, "monotonic", lambda: 3_800.9)
    assert cli.elapsed(3_793.0) == "0:07"
    assert cli.elapsed(3_700.0) == "1:40"
    assert cli.elapsed(47.0) == "1:02:33"


def test_a_command_shows_how_long_it_has_worked(tmp_path: Path):
    """At a terminal a clock, elsewhere a line a stage without any colour."""
    environment = {**os.environ, "SEGMENTS_HOME": str(tmp_path / "home"), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [str(PROJECT / "segments"), "generate", "--customers", "20", "--months", "3"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=environment, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        assert process.wait(60) == 0, seen
    os.close(ours)
    assert re.search(rb"\d:\d\d:\d\d", seen)
    assert b"generate: " in seen

    environment["SEGMENTS_HOME"] = str(tmp_path / "other")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "\x1b" not in done.stdout + done.stderr
    assert re.search(r"^\.\.\. generate: .* \(0:\d\d\)$", done.stderr, flags=re.M)
