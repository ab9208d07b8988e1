"""The data dictionary, `docs/data-dictionary.md`: every published table on one page.

It is made of what is written down elsewhere: dbt's manifest has descriptions, types, constraints
and keys, the README's table of what is published has files, order, grain and questions,
`docs/questions` the SQL of each question, `seeds/labels.csv` the codes. `make docs` writes it, and
a test holds the committed page to them. No clock and no version: it changes only when they do.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration import dbt
from orchestration.home import PROJECT, home

PAGE = PROJECT / "docs" / "data-dictionary.md"
QUESTIONS = PROJECT / "docs" / "questions"

# Labelled too, but columns of these names hold other things in other tables.
GENERIC_DIMENSIONS = {"dimension", "measure"}

INTRODUCTION = """\
# Data dictionary

Every published table: what a row of it is, its columns, and questions that it answers, with SQL
that a test runs on the sample shop. `make docs` makes this page of the descriptions beside the
models, the README's table of what is published, [docs/questions](questions) and `seeds/labels.csv`;
change those, not the page.

The queries call a table of `marts.duckdb` by its name alone, another by its file's too: `history.`,
`facts.`. So they run through `open_published` ([security](security.md)), and in DuckDB itself,
started with `duckdb -readonly marts.duckdb` in the folder of a version, after

```sql
attach 'history.duckdb' as history (read_only);
attach 'facts.duckdb' as facts (read_only);
```

Money is in the base currency. An id such as `shop:C0000001` is one of the sample shop; put your own
in its place."""

JOINS = """\
## How tables join

Columns of these names hold the same ids in every table."""

CODES = """\
## Codes

What columns of codes hold, named in English and Chinese, in the order of lists; a table need not
have all. [segment_labels](#segment_labels) has the same, with the column's name as `dimension`."""


@dataclass(frozen=True)
class Listed:
    """A table as the README lists it: its file, its grain after "one row per", its questions."""

    file: str
    name: str
    grain: str
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A question, how to read its answer (may be empty), and the statement that gives it."""

    text: str
    note: str
    sql: str


@dataclass(frozen=True)
class Join:
    """A key, the tables that it is the key of, and (table, column) of those that refer to it."""

    column: str
    keyed: tuple[str, ...]
    referring: tuple[tuple[str, str], ...]


def listed_tables(readme: str) -> list[Listed]:
    """Return the README's tables of what is published, in its order."""
    section = readme.split("## What is published")[1].split("\n#")[0]
    tables = []
    file = ""
    for first, grain, questions in re.findall(r"^\| (.+?) \| (.*?) ?\| (.*?) ?\|$", section, re.M):
        if first.startswith("**"):
            file = first.strip("*")
        elif first.startswith("`"):
            asked = tuple(re.split(r"(?<=\?) ", questions))
            tables.append(Listed(file, first.strip("`"), grain, asked))
    return tables


def read_questions(text: str) -> list[Question]:
    """Return the questions of a file: a comment that asks, comments that explain, a statement.

    Raises:
        ValueError: something in the file is none of these.
    """
    pattern = r"-- ([^\n]+\?)\n((?:-- [^\n]+\n)*)((?!--)[^;]+;)\n"
    found = list(re.finditer(pattern, text))
    if "\n".join(match[0] for match in found) != text:
        raise ValueError(f"not questions with a statement each:\n{text}")
    return [
        Question(match[1], re.sub(r"\s*(?:^|\n)-- ", " ", match[2]).strip(), match[3])
        for match in found
    ]


def all_questions(folder: Path = QUESTIONS) -> dict[str, list[Question]]:
    """Return the questions of every table that has a file of them."""
    return {
        path.stem: read_questions(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.sql"))
    }


def marts(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the manifest's models that are published, by name."""
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["original_file_path"].startswith("models/marts/")
    }


def _tests(manifest: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield model and arguments of each generic test of a kind."""
    for node in manifest["nodes"].values():
        metadata = node.get("test_metadata") or {}
        if metadata.get("name") == kind and node["attached_node"]:
            yield node["attached_node"].split(".")[-1], metadata["kwargs"]


def keys(manifest: Mapping[str, Any]) -> dict[str, list[tuple[str, ...]]]:
    """Return what tests prove to be keys of each model; a singular test says so in its `meta`."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for model, arguments in _tests(manifest, "unique"):
        found.setdefault(model, []).append((arguments["column_name"],))
    for model, arguments in _tests(manifest, "unique_grain"):
        found.setdefault(model, []).append(tuple(arguments["columns"]))
    for node in manifest["nodes"].values():
        meta = node["config"]["meta"]
        if "key" in meta:
            found.setdefault(meta["dagster"]["ref"]["name"], []).append(tuple(meta["key"]))
    return found


def joins(tables: Sequence[Listed], manifest: Mapping[str, Any]) -> list[Join]:
    """Return the keys by which tables join: the same id, or another column that a test relates."""
    models = marts(manifest)
    known_keys = keys(manifest)
    related = {
        (model, arguments["column_name"], arguments["field"])
        for model, arguments in _tests(manifest, "relationships")
    }
    keyed: dict[str, list[str]] = {}
    for table in tables:
        for columns in known_keys[table.name]:
            if len(columns) == 1:
                keyed.setdefault(columns[0], []).append(table.name)
    found = []
    for column, owners in keyed.items():
        # Keys that are no ids, such as `segment`, are common words: only a test relates them.
        referring = [
            (table.name, name)
            for table in tables
            for name in models[table.name]["columns"]
            if table.name not in owners
            and ((name == column and name.endswith("_id")) or (table.name, name, column) in related)
        ]
        if referring:
            found.append(Join(column, tuple(owners), tuple(referring)))
    return found


def codes(
    labels: Iterable[Mapping[str, str]], models: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Mapping[str, str]]]:
    """Return the labels of each dimension that a column of text is named like."""
    columns = {
        column["name"]
        for model in models.values()
        for column in model["columns"].values()
        if column["data_type"] == "string"
    } - GENERIC_DIMENSIONS
    found: dict[str, list[Mapping[str, str]]] = {}
    for label in labels:
        if label["dimension"] in columns:
            found.setdefault(label["dimension"], []).append(label)
    return found


def page(
    manifest: Mapping[str, Any],
    readme: str,
    questions: Mapping[str, Sequence[Question]],
    labels: Iterable[Mapping[str, str]],
) -> str:
    """Return the whole page.

    Args:
        manifest: dbt's.
        readme: the README's text.
        questions: each table's questions.
        labels: the rows of `seeds/labels.csv`.

    Raises:
        KeyError: the README lists a table without a model, or without questions.
    """
    tables = listed_tables(readme)
    models = marts(manifest)
    known_keys = keys(manifest)
    known_joins = joins(tables, manifest)
    known_codes = codes(labels, models)
    blocks = [INTRODUCTION, "## Contents", *_contents(tables), JOINS, _joins_table(known_joins)]
    file = ""
    for table in tables:
        if table.file != file:
            file = table.file
            blocks.append(f"## {file}")
        node = models[table.name]
        joined = _joined(table.name, known_joins)
        blocks += [
            f"### {table.name}",
            one_line(node["description"]),
            " ".join([_grain(table), _key(known_keys[table.name]), *joined]),
            _columns(node["columns"].values(), set(known_codes)),
            *(block for asked in questions[table.name] for block in _question(asked)),
        ]
    blocks += [CODES, _codes_table(known_codes)]
    return "\n\n".join(blocks) + "\n"


def one_line(text: str) -> str:
    """Return a text without its line ends."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """Return a text as the cell of a table."""
    return one_line(text).replace("|", "\\|")


def table_of(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as a table of Markdown."""
    lines = [header, ["---"] * len(header), *([cell(each) for each in row] for row in rows)]
    # An empty cell is one space, as in the README.
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _link(table: str) -> str:
    return f"[{table}](#{table})"


def _contents(tables: Sequence[Listed]) -> list[str]:
    """Return a table of tables for each file, under its name."""
    files = list(dict.fromkeys(table.file for table in tables))
    return [
        table_of(
            [f"[{file}](#{file.replace('.', '')})", "one row per"],
            [(_link(table.name), table.grain) for table in tables if table.file == file],
        )
        for file in files
    ]


def _joins_table(known: Iterable[Join]) -> str:
    return table_of(
        ["column", "the key of", "also in"],
        [
            (
                f"`{join.column}`",
                ", ".join(_link(table) for table in join.keyed),
                ", ".join(
                    _link(table) if column == join.column else f"{_link(table)} as `{column}`"
                    for table, column in join.referring
                ),
            )
            for join in known
        ],
    )


def _grain(table: Listed) -> str:
    return f"**One row per** {table.grain}."


def _key(columns: Iterable[tuple[str, ...]]) -> str:
    alternatives = [_code(each) + (" together" if len(each) > 1 else "") for each in columns]
    return f"**Key:** {', or '.join(alternatives)}."


def _joined(table: str, known: Iterable[Join]) -> list[str]:
    """Return the sentence that names the columns by which a table joins others, if any."""
    columns = [
        *(join.column for join in known if table in join.keyed),
        *(column for join in known for name, column in join.referring if name == table),
    ]
    return [f"**[Joins](#how-tables-join)** by {_code(columns)}."] if columns else []


def _columns(columns: Iterable[Mapping[str, Any]], coded: set[str]) -> str:
    return table_of(
        ["column", "type", "may be empty", "description"],
        [
            (
                f"`{column['name']}`",
                column["data_type"],
                "" if _is_required(column) else "yes",
                column["description"] + (" [Codes](#codes)." if column["name"] in coded else ""),
            )
            for column in columns
        ],
    )


def _is_required(column: Mapping[str, Any]) -> bool:
    return any(constraint["type"] == "not_null" for constraint in column["constraints"])


def _question(asked: Question) -> list[str]:
    """Return a question as a paragraph with its note, and its statement."""
    return [" ".join(filter(None, [f"**{asked.text}**", asked.note])), f"```sql\n{asked.sql}\n```"]


def _codes_table(known: Mapping[str, Sequence[Mapping[str, str]]]) -> str:
    return table_of(
        ["column", "codes"],
        [
            (
                f"`{dimension}`",
                " · ".join(
                    f"`{label['code']}` {label['label_en']} ({label['label_zh']})"
                    for label in labels
                ),
            )
            for dimension, labels in known.items()
        ],
    )


def read_labels(path: Path = PROJECT / "seeds" / "labels.csv") -> list[dict[str, str]]:
    """Return the rows of the seed that names codes."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def dictionary(manifest: Mapping[str, Any]) -> str:
    """Return the page for the project's files and a manifest of them."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    return page(manifest, readme, all_questions(), read_labels())


def main() -> None:
    """Write the page."""
    manifest = json.loads(dbt.prepare_manifest(home()).read_text(encoding="utf-8"))
    PAGE.write_text(dictionary(manifest), encoding="utf-8")
    print(f"Wrote {PAGE.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
