"""Delivered files: finding them, and copying one safely into a private spool.

A delivery is read once, from a handle that follows no link, into a private copy that is checked and
loaded afterwards. Nothing a sender does later can change what was hashed, counted and landed.
"""

import codecs
import contextlib
import hashlib
import os
import stat
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.contracts import ENCODINGS, Source
from orchestration.csv_text import Scan, line_ends

CHUNK = 1 << 18  # bytes; what is done with a chunk finds it in the processor's cache
MOST_AT_ONCE = CHUNK  # of decompressed bytes: a small file may unpack to terabytes
SUFFIXES = (".csv", ".csv.gz", ".parquet")
UNFINISHED = (".tmp", ".part")


class Refusal(Exception):
    """This file is not taken; the message tells its sender why, without its values."""


class StillChanging(Exception):
    """The file changed while it was read; the next run takes it."""


@dataclass(frozen=True)
class Delivered:
    """One file found in the landing folder."""

    source: str
    feed: str
    file_name: str

    @property
    def path(self) -> str:
        """The place below the landing folder, for messages."""
        return f"{self.source}/{self.feed}/{self.file_name}"

    @property
    def kind(self) -> str:
        """The suffix: `.csv`, `.csv.gz` or `.parquet`."""
        return next(one for one in SUFFIXES if self.file_name.lower().endswith(one))


@dataclass(frozen=True)
class Spooled:
    """The private copy of a delivery, CSV already in UTF-8; `size` and `sha256` are as delivered.

    `scan` holds what was counted in a CSV on the way; a Parquet file has none.
    """

    path: Path
    sha256: str
    size: int
    scan: Scan | None = None


def find(landing: Path, contracts: Mapping[str, Source]) -> tuple[list[Delivered], list[str]]:
    """List what has been delivered, by source, feed and file name, with warnings about the rest."""
    files: list[Delivered] = []
    warnings: list[str] = []
    for source in _folders(landing, "", "source", list(contracts), warnings):
        feeds = [feed.name for feed in contracts[source].feeds]
        for feed in _folders(landing / source, f"{source}/", "feed", feeds, warnings):
            for entry in _entries(landing / source / feed):
                found = Delivered(source, feed, entry.name)
                complaint = _complaint(entry)
                if complaint:
                    warnings.append(f"{_printable(found.path)}: {complaint}")
                elif not entry.name.lower().endswith(UNFINISHED):
                    files.append(found)
    return files, warnings


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)


def _folders(
    folder: Path, prefix: str, what: str, known: list[str], warnings: list[str]
) -> Iterator[str]:
    for entry in _entries(folder):
        path = _printable(prefix + entry.name)
        if entry.is_symlink():
            warnings.append(f"{path}: a link is not followed. Deliver into a real folder.")
        elif not entry.is_dir():
            warnings.append(f"{path}: files belong into landing/<source>/<feed>/.")
        elif entry.name not in known:
            warnings.append(f"{path}: unknown {what}. Known are {', '.join(known)}.")
        else:
            yield entry.name


def _complaint(entry: os.DirEntry[str]) -> str | None:
    if entry.is_symlink():
        return "a link is not followed. Deliver the file itself."
    if not entry.is_file():
        return "not a file."
    if _printable(entry.name) != entry.name:
        return "the file name is not UTF-8, or has control characters in it. Rename it."
    if not entry.name.lower().endswith(SUFFIXES + UNFINISHED):
        return f"only {', '.join(SUFFIXES)} are read."
    return None


def _printable(name: str) -> str:
    """Return a name for messages and logs: one line, and nothing that a terminal obeys."""
    decoded = name.encode(errors="surrogateescape").decode(errors="replace")
    return "".join("\ufffd" if unicodedata.category(c) == "Cc" else c for c in decoded)


@contextlib.contextmanager
def opened(landing: Path, file: Delivered) -> Iterator[int]:
    """Open a delivered file through real folders only; yield the handle.

    Raises:
        Refusal: it has become a link, or something that is no file.
        StillChanging: it is gone, or was changed or replaced before the block ended.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = os.open(landing, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, folder)
            for name in (file.source, file.feed):
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                folder = os.open(name, flags, dir_fd=folder)
                stack.callback(os.close, folder)
            # Without O_NONBLOCK a pipe put in place of the file would hang the run.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            handle = os.open(file.file_name, flags, dir_fd=folder)
            stack.callback(os.close, handle)
        except FileNotFoundError:
            raise StillChanging from None
        except OSError as error:
            raise Refusal(f"it cannot be opened: {error.strerror}") from None
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise Refusal("it is not a file")
        yield handle
        try:
            named = os.stat(file.file_name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            raise StillChanging from None
        if not _version(before) == _version(os.fstat(handle)) == _version(named):
            raise StillChanging


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


class Reader:
    """Reads a handle from its start in chunks, hashing and counting what it has read."""

    def __init__(self, handle: int) -> None:
        """Begin at the first byte."""
        os.lseek(handle, 0, os.SEEK_SET)
        self._handle = handle
        self._hash = hashlib.sha256()
        self.size = 0

    def chunks(self) -> Iterator[bytes]:
        """Yield what is left, chunk by chunk."""
        while chunk := os.read(self._handle, CHUNK):
            self._hash.update(chunk)
            self.size += len(chunk)
            yield chunk

    def finish(self) -> str:
        """Read to the end, whatever stopped before, and return the SHA-256 of the whole file."""
        for _ in self.chunks():
            pass
        return self._hash.hexdigest()


def spool_csv(reader: Reader, path: Path, source: Source, compressed: bool) -> Scan:
    """Copy a CSV as UTF-8 with \\n between its records, and count its records on the way.

    Raises:
        Refusal: the compression is damaged, or the text is not in the contract's encoding.
    """
    scan = Scan(source.delimiter, source.quote)
    chunks = reader.chunks()
    text = utf8(gunzipped(chunks) if compressed else chunks, source.encoding)
    with _private(path) as copy:
        for chunk in text:
            copy(scan.feed(chunk))
        copy(scan.finish())
    return scan


def spool_bytes(reader: Reader, path: Path) -> None:
    """Copy a file as it is."""
    with _private(path) as copy:
        for chunk in reader.chunks():
            copy(chunk)


@contextlib.contextmanager
def _private(path: Path) -> Iterator:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(handle, "wb") as copy:
        yield copy.write


def gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress gzip, of several members too; Refusal where it is damaged or cut short."""
    member = zlib.decompressobj(wbits=31)
    members, started = 0, False
    for chunk in chunks:
        while chunk:
            if members and not started:
                chunk = chunk.lstrip(b"\0")  # padding after a member, which some tools append
                if not chunk:
                    break
            started = True
            try:
                yield member.decompress(chunk, MOST_AT_ONCE)
            except zlib.error as error:
                raise Refusal(f"the gzip compression is damaged ({error})") from None
            chunk = member.unconsumed_tail or member.unused_data
            if member.eof:
                member, members, started = zlib.decompressobj(wbits=31), members + 1, False
    if started:
        raise Refusal("the gzip stream ends too early; the file was cut short")


def utf8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Decode strictly and yield UTF-8 without a byte order mark.

    Raises:
        Refusal: naming the byte and line that do not decode, and what the contract could declare.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    size, lines, first = 0, 1, True
    for chunk, final in _with_last(chunks):
        size += len(chunk)
        if encoding == "utf-8" and chunk.isascii() and not decoder.getstate()[0]:
            encoded = chunk  # nothing to decode, which saves reading it twice
            first = first and not chunk
        else:
            try:
                text = decoder.decode(chunk, final)
            except UnicodeError as error:
                raise Refusal(_undecodable(error, encoding, size, lines)) from None
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            encoded = text.encode()
        lines += line_ends(encoded)
        yield encoded


def _with_last(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    for chunk in chunks:
        yield chunk, False
    yield b"", True


def _undecodable(error: UnicodeError, encoding: str, size: int, lines: int) -> str:
    if not isinstance(error, UnicodeDecodeError):
        return f"the text is not {encoding}: {error}"
    # The decoder may have kept some bytes of the chunk before: count from the end of what it saw.
    offset = size - len(error.object) + error.start
    line = lines + error.object[: error.start].count(b"\n")
    sample = error.object
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        fitting = ["utf-16"]
    else:
        fitting = [one for one in ENCODINGS if one != "utf-16" and _decodes(sample, one)]
    hint = f"it would decode as {' or '.join(fitting)}" if fitting else "no known encoding fits"
    return (
        f"the text is not {encoding}: byte {offset} (line {line}) does not decode; {hint}. Declare "
        f"the sender's encoding in the contract, one of {', '.join(ENCODINGS)}"
    )


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except UnicodeError:
        return False
    return True
