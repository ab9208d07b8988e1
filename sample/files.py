"""Arrow columns from numpy arrays, and the writer that appends them to the landing files."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

FORMATS = ("csv", "csv.gz", "parquet")
# Feeds that hold free text: their text is quoted. Elsewhere a quote would only be noise.
QUOTED_FEEDS = frozenset({"customers", "products", "campaigns", "segment_overrides"})
# Few enough open files for the usual limit of 1,024: three monthly feeds, 300 months.
MAXIMUM_MONTHS = 300


def decimals(values: np.ndarray, scale: int, valid: np.ndarray | None = None) -> pa.Array:
    """Return decimal(18, scale) from whole numbers in units of 10**-scale, shape (n,).

    Money never passes through a float on its way to the file. Null where `valid` is false.
    """
    whole = np.asarray(values, dtype=np.int64)
    words = np.empty((len(whole), 2), dtype=np.int64)
    words[:, 0] = whole
    words[:, 1] = whole >> 63
    column = pa.Array.from_buffers(
        pa.decimal128(18, scale), len(whole), [None, pa.py_buffer(words)]
    )
    return column if valid is None else _masked(column, valid)


def timestamps(seconds: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """Return UTC timestamps from seconds since 1970, shape (n,), null where `valid` is false."""
    return pa.array(
        np.asarray(seconds, dtype=np.int64), mask=None if valid is None else ~valid
    ).cast(pa.timestamp("s"))


def dates(days: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """Return dates from days since 1970, shape (n,), null where `valid` is false."""
    return pa.array(np.asarray(days, dtype=np.int32), mask=None if valid is None else ~valid).cast(
        pa.date32()
    )


def identifiers(
    prefix: str, numbers: np.ndarray, width: int, valid: np.ndarray | None = None
) -> pa.Array:
    """Return `prefix` + zero-padded number as text, shape (n,), null where `valid` is false."""
    text = pa.array(
        np.asarray(numbers, dtype=np.int64), mask=None if valid is None else ~valid
    ).cast(pa.string())
    return pc.binary_join_element_wise(prefix, pc.utf8_lpad(text, width, "0"), "")


def pick(words: Sequence[str] | pa.Array, codes: np.ndarray) -> pa.Array:
    """Return `words[codes]` as text, shape (n,), null where the code is negative."""
    codes = np.asarray(codes, dtype=np.int64)
    dictionary = words if isinstance(words, pa.Array) else pa.array(words, pa.string())
    return dictionary.take(pa.array(codes, mask=codes < 0))


def join(*parts: str | pa.Array) -> pa.Array:
    """Return the parts joined without a separator; null where one of them is."""
    return pc.binary_join_element_wise(*parts, "")


def _masked(column: pa.Array, valid: np.ndarray) -> pa.Array:
    return pc.if_else(pa.array(valid), column, pa.scalar(None, column.type))


def _contract_type(kind: pa.DataType) -> pa.DataType:
    """Parquet holds the contract's types; CSV holds the same values as short text."""
    if pa.types.is_decimal(kind):
        return pa.decimal128(18, 6)
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us")
    return kind


class LandingWriter:
    """Appends tables to `<root>/<feed>/<name>.<format>`; each file is opened once.

    The bytes depend on the tables and their order alone: no time, no path, no thread count.
    """

    def __init__(self, root: Path, file_format: str) -> None:
        """Write under `root` in one of `FORMATS`."""
        self.root = root
        self.file_format = file_format
        self.rows: dict[str, int] = {}
        self._writers: dict[Path, pa_csv.CSVWriter | pq.ParquetWriter] = {}
        self._sinks: list[IO[bytes]] = []

    def write(self, feed: str, name: str, table: pa.Table) -> None:
        """Append `table` to the file `name` of `feed`; no rows, no file."""
        if table.num_rows == 0:
            return
        path = self.root / feed / f"{name}.{self.file_format}"
        if self.file_format == "parquet":
            fields = [(field.name, _contract_type(field.type)) for field in table.schema]
            table = table.cast(pa.schema(fields))
        if path not in self._writers:
            self._writers[path] = self._open(path, feed, table.schema)
        self._writers[path].write_table(table)
        self.rows[feed] = self.rows.get(feed, 0) + table.num_rows

    def write_monthly(
        self, feed: str, table: pa.Table, starts: np.ndarray, names: Sequence[str]
    ) -> None:
        """Append the rows `starts[i]:starts[i + 1]` of `table` to the file of month `names[i]`."""
        for month, name in enumerate(names):
            first, last = int(starts[month]), int(starts[month + 1])
            self.write(feed, f"{feed}_{name}", table.slice(first, last - first))

    def close(self) -> None:
        """Finish every file."""
        for writer in self._writers.values():
            writer.close()
        for sink in reversed(self._sinks):
            sink.close()
        self._writers, self._sinks = {}, []

    def _open(
        self, path: Path, feed: str, schema: pa.Schema
    ) -> pa_csv.CSVWriter | pq.ParquetWriter:
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.file_format == "parquet":
            return pq.ParquetWriter(path, schema, compression="zstd", store_decimal_as_integer=True)
        sink: IO[bytes] = path.open("wb")
        self._sinks.append(sink)
        if self.file_format == "csv.gz":
            # Neither name nor time in the header: the same rows are the same bytes.
            sink = gzip.GzipFile("", "wb", compresslevel=5, fileobj=sink, mtime=0)
            self._sinks.append(sink)
        options = pa_csv.WriteOptions(
            quoting_header="none", quoting_style="needed" if feed in QUOTED_FEEDS else "none"
        )
        return pa_csv.CSVWriter(sink, schema, write_options=options)
