"""Messages of the engine without the values that they quote: they end in logs that many may read.

A failing cast names the value that it failed on, which may be somebody's e-mail. What is known to
hold no value is kept, and nothing else.
"""

import re
import traceback

import duckdb

LEFT_OUT = "(value left out)"
UNSPOKEN = "(the message is left out: it may quote data)"

# Made before any row is read, or about files and memory: they can quote the query and nothing more.
WITHOUT_VALUES = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ConnectionException,
    duckdb.DependencyException,
    duckdb.IOException,
    duckdb.InterruptException,
    duckdb.OutOfMemoryException,
    duckdb.ParserException,
    duckdb.PermissionException,
    duckdb.ResourceInUseException,
    duckdb.SyntaxException,
    duckdb.TransactionException,
)
# How the others begin, up to the value. The first group is kept.
OPENINGS = re.compile(
    r"((?:\w+ )+Error: (?:"
    r"Could not convert string"
    r"|Could not parse string"
    r"|(?:invalid )?(?:date|time|timestamp) field (?:format|value out of range):?"
    r"|Duplicate key"
    r"|PRIMARY KEY or UNIQUE constraint violation: duplicate key"
    r"|Casting value"
    r"|Type [A-Z0-9_(), ]+ with value"
    r"|Overflow in \w+ of [A-Z0-9_()]+"
    r"|Malformed JSON"
    r"|Failed to cast"
    r"))(?![\w])"
)
WHOLE = re.compile(
    r"(?:\w+ )+Error: (?:"
    r"NOT NULL constraint failed: [\w.]+"
    r"|More than one row returned by a subquery used as an expression"
    r"|Map keys must be unique"
    r")"
)
KIND = re.compile(r"(?:[A-Z]\w+ ){1,3}?(?:\w+ )?Error(?=: )")
# How they end, after it: the type wanted, and the column, which the query names too.
TYPES = (
    r"U?INT\d+|U?HUGEINT|DOUBLE|FLOAT|BOOL|DATE|TIME|TIMESTAMP\w*|INTERVAL|UUID|DECIMAL\(\d+,\d+\)"
)
ENDING = re.compile(rf"( to (?:{TYPES}))?(?: when casting from source column (\w+))?\s*\Z")
EXCERPT = re.compile(r"\n\nLINE (\d+): (.*)\n[ ^]*\Z")


def without_values(error: BaseException, query: str = "") -> str:
    """Return an error's message less the values in it, with the place in the query if it names one.

    Args:
        error: an error, of the engine or of Python.
        query: what was run: only what stands in it is quoted.
    """
    message = str(error)
    if isinstance(error, WITHOUT_VALUES):
        return message
    if not isinstance(error, duckdb.Error):
        return f"{type(error).__name__} {UNSPOKEN}"
    where = ""
    if excerpt := EXCERPT.search(message):
        message = message[: excerpt.start()]
        shown = excerpt[2].removeprefix("...").removesuffix("...")
        if shown in query:
            where = f", in line {excerpt[1]}: {shown.strip()}"
    if whole := WHOLE.match(message):
        return f"{whole[0]}{where}"
    if opening := OPENINGS.match(message):
        ending = ENDING.search(message, opening.end())
        wanted, column = (ending[1] or "", ending[2]) if ending else ("", None)
        named = column and re.search(rf"\b{column}\b", query)
        cast = f" when casting from source column {column}" if named else ""
        return f"{opening[1]} {LEFT_OUT}{wanted}{cast}{where}"
    kind = KIND.match(message)
    return f"{kind[0] if kind else type(error).__name__}: {UNSPOKEN}{where}"


def cleaned(error: duckdb.Error, query: str = "") -> duckdb.Error:
    """Return an error of the same class, without values, and without those that led to it."""
    return type(error)(without_values(error, query))


def traced(error: BaseException, query: str = "") -> str:
    """Return where an error of Python arose, frame by frame, and its message without values."""
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    return f"{''.join(frames)}{type(error).__name__}: {without_values(error, query)}"
