"""How a delivered value becomes a typed one: SQL expressions from a contract's column.

A value is taken exactly or not at all. The engine's own casts are too kind for that ('1_000' is
1000 to them, '5.7' the integer 6, an offset of a timestamp is dropped), so the whole text has to
match a pattern before it is cast.

Whitespace around a text is no part of it: `'J '` and `'J'` are one customer, and a text of
whitespace alone is no text. What stands within it stays as it is.
"""

from dataclasses import dataclass

from orchestration.contracts import Column

INTEGERS = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
}
FLOATS = {"FLOAT", "DOUBLE"}
LOCAL_TIMESTAMPS = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}
ZONED_TIMESTAMPS = {"TIMESTAMP WITH TIME ZONE"}

DAY = r"\d{4}-\d\d-\d\d"
CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
OFFSET = r"(Z|[+-]\d\d(:?\d\d)?)"
WHITESPACE = " \t\n\r\v\f"  # around a text it is not taken; Unicode's other blanks are
TRUE, FALSE = "('true', 'yes', '1')", "('false', 'no', '0')"


@dataclass(frozen=True)
class Rule:
    """How one column is read, in two steps.

    `given` is SQL over what the reader yields: what was delivered, null where nothing was. `value`
    is SQL over `given` under the column's own name: its typed form, null where it breaks `law`,
    which says in words what is allowed. Without a law nothing can be wrong with a value.

    Looking closely at a text is dear. Where a `first` cast of it, SQL over `given`, turns into the
    very same text again, it was in the usual form: `usual`, SQL over `first_name`, is its value.
    """

    column: Column
    given: str = "cast(null as varchar)"
    value: str = "null"
    law: str = ""
    first: str = ""
    usual: str = ""

    @property
    def name(self) -> str:
        """The column's name, quoted for SQL."""
        return quoted(self.column.name)

    @property
    def first_name(self) -> str:
        """The name of the first cast, quoted for SQL."""
        return first_name(self.column)

    @property
    def typed(self) -> str:
        """SQL of the value in the type of the raw table, null where it cannot be taken."""
        return f"cast({self.value} as {self.column.sql_type})"

    @property
    def typed_or_error(self) -> str:
        """SQL of the value that stops the statement where it cannot be taken."""
        value = self.typed
        if self.column.required:
            value = f"coalesce({value}, error('required or mistyped'))"
        elif self.law:
            value = f"coalesce({value}, error('mistyped'))"
            value = f"case when {self.name} is not null then {value} end"
        if self.first:
            same = f"cast({self.first_name} as varchar) = {self.name}"
            value = f"case when {same} then {self.usual} else {value} end"
        return value

    def problem(self, given: str, typed: str) -> str | None:
        """SQL of what is wrong with a record, null where nothing is; None if nothing can be."""
        header = literal(f"{self.column.header}: ")
        cases = []
        if self.column.required:
            cases.append(f"when {given} is null then {header} || 'required and empty'")
        if self.law:
            wrong = f"{given} is not null and {typed} is null"
            cases.append(f"when {wrong} then {header} || {literal(self.law)}")
        return f"case {' '.join(cases)} end" if cases else None


def literal(text: str) -> str:
    """Quote a text of the contract for SQL; what senders write is bound, never quoted."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def first_name(column: Column) -> str:
    """Name the first cast of a column, quoted for SQL."""
    return quoted(f"_first_{column.name}")


def text_or_null(text: str, null_values: tuple[str, ...]) -> str:
    """SQL of a text, null where it is one of these."""
    nothing = ", ".join(literal(one) for one in null_values)
    if not nothing:
        return text
    return f"case when {text} not in ({nothing}) then {text} end"


def given_text(column: Column, text: str, null_values: tuple[str, ...]) -> str:
    """SQL of what a text delivered for a column gives, null where it means nothing.

    For a text column it is stripped of ASCII whitespace before it is compared with `null_values`.
    """
    if column.data_type != "string":
        return text_or_null(text, null_values)
    nothing = tuple(one.strip(WHITESPACE) for one in null_values)
    # A trim of named characters takes ten times as long as the plain one, which trims what Unicode
    # calls a space: in printable ASCII the blank alone.
    other = f"regexp_matches({text}, '[^ -~]')"
    stripped = f"case when {other} then trim({text}, {literal(WHITESPACE)}) else trim({text}) end"
    # '!' follows the blank in ASCII: two comparisons tell most texts that need no stripping, which
    # is five times as dear.
    return (
        f"case when {text} < '!' then {text_or_null(stripped, ('', *nothing))} "
        f"when array_extract({text}, -1) < '!' then {text_or_null(stripped, nothing)} "
        f"else {text_or_null(text, nothing)} end"
    )


def from_text(column: Column, given: str, timezone: str) -> Rule:
    """Return the rule for a column delivered as text.

    Args:
        given: SQL of the delivered text by `given_text`, null where it means nothing.
        timezone: zone of timestamps without an offset.
    """
    text = quoted(column.name)
    decimal = column.decimal
    if decimal:
        return Rule(column, given, *_decimal_text(text, column, *decimal))
    if column.data_type in ("bigint", "int"):
        first = f"try_cast({text} as {column.sql_type})"
        law = f"not a whole number within {column.data_type}"
        value = _matched(text, r"[+-]?\d+", first)
        return Rule(column, given, value, law, first, first_name(column))
    if column.data_type == "double":
        number = _point(text, column)
        value = _matched(
            number,
            r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?",
            f"case when isfinite(try_cast({number} as double)) then cast({number} as double) end",
        )
        return Rule(column, given, value, "not a number")
    if column.data_type == "boolean":
        word = f"lower(trim({text}))"
        value = f"case when {word} in {TRUE} then true when {word} in {FALSE} then false end"
        return Rule(column, given, value, "none of true, false, yes, no, 1, 0")
    if column.data_type == "date":
        return Rule(column, given, *_date_text(text, column))
    if column.data_type == "timestamp":
        return Rule(column, given, *_timestamp_text(text, column, timezone))
    return Rule(column, given, text)


def _first_of_length(text: str, length: int, sql_type: str) -> str:
    # The length keeps out years beyond 9999, and what a cast need not be tried on.
    return f"case when strlen({text}) = {length} then try_cast({text} as {sql_type}) end"


def _matched(text: str, pattern: str, then: str) -> str:
    # Blanks around a value are harmless, and the casts take them too.
    return f"case when regexp_full_match({text}, {literal(f' *{pattern} *')}) then {then} end"


def _point(text: str, column: Column) -> str:
    # With a declared comma a point is wrong, so it becomes something that matches no pattern.
    return text if column.decimal_separator == "." else f"translate({text}, ',.', '.?')"


def _decimal_text(text: str, column: Column, precision: int, scale: int) -> tuple[str, str]:
    number = _point(text, column)
    # One digit more or the end, never two ways to go on: patterns of that kind are matched faster.
    fraction = r"0+" if not scale else r"\d(?:" * (scale - 1) + r"\d0*" + ")?" * (scale - 1)
    value = _matched(
        number, rf"[+-]?\d+(\.{fraction})?", f"try_cast({number} as {column.sql_type})"
    )
    mark = "point" if column.decimal_separator == "." else "comma"
    law = (
        f"not a number with a decimal {mark}, at most {precision - scale} digits before it "
        f"and {scale} after it"
    )
    return value, law


def _date_text(text: str, column: Column) -> tuple[str, ...]:
    if column.date_formats:
        tries = [f"cast({_parsed(text, one)} as date)" for one in column.date_formats]
        return f"coalesce({', '.join(tries)})", f"no date like {' or '.join(column.date_formats)}"
    value = _matched(text, DAY, f"try_cast({text} as date)")
    first = _first_of_length(text, 10, "date")
    return value, "no date like 2024-12-31", first, first_name(column)


def _timestamp_text(text: str, column: Column, timezone: str) -> tuple[str, ...]:
    if column.timestamp_formats:
        tries = [
            _utc_of_instant(_parsed(text, one))
            if "%z" in one or "%Z" in one
            else utc(_parsed(text, one), timezone)
            for one in column.timestamp_formats
        ]
        law = f"no time like {' or '.join(column.timestamp_formats)}"
        return f"coalesce({', '.join(tries)})", law
    local = f"try_cast({text} as timestamp)"
    midnight = f"cast(try_cast({text} as date) as timestamp)"
    # The cast knows no blank before the offset; no other blank stands before one of these.
    joined = f"replace(replace(replace({text}, ' Z', 'Z'), ' +', '+'), ' -', '-')"
    cases = [
        (f"{DAY}[ T]{CLOCK}", utc(local, timezone)),
        (f"{DAY}[ T]{CLOCK}{OFFSET}", _utc_of_instant(f"try_cast({text} as timestamptz)")),
        (f"{DAY}[ T]{CLOCK} {OFFSET}", _utc_of_instant(f"try_cast({joined} as timestamptz)")),
        (DAY, utc(midnight, timezone)),
    ]
    value = " ".join(
        f"when regexp_full_match({text}, {literal(f' *{pattern} *')}) then {then}"
        for pattern, then in cases
    )
    law = "no time like 2024-12-31 23:59:59, 2024-12-31T23:59:59+08:00 or 2024-12-31"
    first = _first_of_length(text, 19, "timestamp")
    return f"case {value} end", law, first, utc(first_name(column), timezone)


def _parsed(text: str, pattern: str) -> str:
    # %Y takes '24' for the year 24: four digits or nothing.
    parsed = f"try_strptime({text}, {literal(pattern)})"
    return f"case when year({parsed}) >= 1000 then {parsed} end"


def utc(local: str, timezone: str) -> str:
    """SQL of the UTC timestamp of a local one.

    An hour that the clock skips is read as if it had not been put forward, one that it repeats as
    its second time.
    """
    if timezone == "UTC":
        return local
    return _utc_of_instant(f"timezone({literal(timezone)}, {local})")


def _utc_of_instant(instant: str) -> str:
    # The same as timezone('UTC', ...), by arithmetic instead of a calendar: a tenth of the price.
    return f"make_timestamp(epoch_us({instant}))"


def from_typed(column: Column, type_name: str, given: str, timezone: str) -> Rule | None:
    """Return the rule for a column of an engine type, None if it cannot become the column.

    Args:
        type_name: the type as DuckDB's `describe` prints it.
        given: SQL of the delivered value, null where it means nothing.
        timezone: zone of timestamps without one.
    """
    name, wanted = quoted(column.name), column.data_type
    if type_name == "VARCHAR" and wanted == "string":
        # A NUL ends the text in many a reader; in a CSV it is told before the engine reads it.
        value = f"case when not contains({name}, chr(0)) then {name} end"
        return Rule(column, given, value, "a NUL character in the text")
    if type_name == "VARCHAR":
        return from_text(column, given, timezone)
    if column.decimal or wanted in ("bigint", "int", "double"):
        return _number(column, type_name, given)
    if wanted == "boolean" and type_name == "BOOLEAN":
        return Rule(column, given, name)
    if wanted == "boolean" and type_name in INTEGERS:
        value = f"case {name} when 1 then true when 0 then false end"
        return Rule(column, given, value, "neither 0 nor 1")
    if wanted == "date" and type_name == "DATE":
        return Rule(column, given, name)
    if wanted == "date" and type_name in LOCAL_TIMESTAMPS:
        value = f"case when {name} = cast({name} as date) then {name} end"
        return Rule(column, given, value, "a time where a date is expected")
    if wanted == "timestamp" and type_name in ZONED_TIMESTAMPS:
        return Rule(column, given, _utc_of_instant(name))
    if wanted == "timestamp" and (type_name in LOCAL_TIMESTAMPS or type_name == "DATE"):
        return Rule(column, given, utc(f"cast({name} as timestamp)", timezone))
    if wanted == "string":
        return _text(column, type_name, given)
    return None


def _number(column: Column, type_name: str, given: str) -> Rule | None:
    name = quoted(column.name)
    value = f"try_cast({name} as {column.sql_type})"
    if type_name == column.sql_type.upper().replace(" ", "") and type_name not in FLOATS:
        return Rule(column, given, name)
    if type_name in INTEGERS:
        return Rule(column, given, value, f"out of the range of {column.data_type}")
    if type_name in FLOATS and column.data_type in ("bigint", "int"):
        value = f"case when {name} = trunc({name}) then {value} end"
        return Rule(column, given, value, f"not a whole number within {column.data_type}")
    if type_name in FLOATS:
        # A binary fraction has no exact decimal form: it is rounded at the scale.
        value = f"case when isfinite({name}) then {value} end"
        return Rule(column, given, value, f"not finite, or out of the range of {column.data_type}")
    if type_name.startswith("DECIMAL("):
        if column.data_type != "double":
            value = f"case when try_cast({value} as {type_name}) = {name} then {value} end"
        return Rule(column, given, value, f"does not fit {column.data_type} without rounding")
    return None


def _text(column: Column, type_name: str, given: str) -> Rule | None:
    name = quoted(column.name)
    text = f"cast({name} as varchar)"
    if type_name in INTEGERS or type_name in ("BOOLEAN", "DATE"):
        return Rule(column, given, text)
    if type_name in FLOATS:
        # A data frame turns ids into floats where some are missing: 13085.0 is the id 13085.
        exact = f"{name} = trunc({name}) and abs({name}) < 9007199254740992"
        value = f"case when {exact} then cast(cast({name} as bigint) as varchar) end"
        return Rule(column, given, value, "a broken number where a text is expected")
    return None
