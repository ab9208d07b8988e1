"""README.md and README.zh.md say the same, as far as a machine can tell.

Both are read as blocks: headings, paragraphs, items, rows of tables, code. The blocks stand in the
same order, and each has the figures, names and links of its counterpart. Words alone can differ
without a test that notices.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from orchestration.home import PROJECT

LINKS = {
    "README.md": "English | [中文](README.zh.md)",
    "README.zh.md": "[English](README.md) | 中文",
}
COMMAND = re.compile(r"^(?P<command>(?:make|\./segments) .*?)(?P<padding> +)# (?P<comment>.+)$")
CODE = re.compile(r"`[^`]+`")
LINK = re.compile(r"\[([^\]]*)\]\(([^)]+)\)")
FIGURE = re.compile(r"\d[\d,.:]*\d%?|\d%?")
CHINESE = r"[\u4e00-\u9fff]"
# Half-width punctuation beside a Chinese character, or a blank between two of them.
HALF_WIDTH = re.compile(rf"{CHINESE} *[,.;:?!()\"]|[,;:?!()\"] *{CHINESE}|{CHINESE} +(?={CHINESE})")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# "one" is an article more often than a number, and Chinese says 两 of two things.
NUMERALS = ("three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class Block:
    """A piece of a README that has one counterpart in the other."""

    kind: str
    text: str

    @property
    def prose(self) -> str:
        """The text without code and without the targets of its links."""
        return CODE.sub("`", LINK.sub(r"\1", self.text))


def blocks(name: str) -> list[Block]:
    found: list[Block] = []
    outside = True
    for part in re.split(r"^```\n", (PROJECT / name).read_text(encoding="utf-8"), flags=re.M):
        found += prose_blocks(part) if outside else [Block("code", part)]
        outside = not outside
    return found


def prose_blocks(text: str) -> list[Block]:
    found: list[Block] = []
    goes_on = False
    for line in text.splitlines():
        opening = re.match(r"(#+|-|\|) ?", line)
        if not line:
            goes_on = False
        elif opening:
            columns = line.count("|") - 1 if opening[1] == "|" else ""
            found.append(Block(f"{opening[1]}{columns}", line))
            goes_on = opening[1] == "-"
        elif goes_on:
            found[-1] = Block(found[-1].kind, f"{found[-1].text}\n{line}")
        else:
            found.append(Block("paragraph", line))
            goes_on = True
    return found


ENGLISH = blocks("README.md")
TRANSLATED = blocks("README.zh.md")


def code(readme: list[Block]) -> list[str]:
    return [block.text for block in readme if block.kind == "code"]


def without_comments(text: str) -> str:
    """A block of commands, with the column that a comment begins in, but not its words."""
    return "\n".join(COMMAND.sub(r"\g<command>\g<padding>#", line) for line in text.splitlines())


def comments(readme: list[Block]) -> list[Block]:
    lines = [line for text in code(readme) for line in text.splitlines()]
    return [Block("comment", match["comment"]) for match in map(COMMAND.match, lines) if match]


def pairs() -> list[tuple[Block, Block]]:
    """Each piece of English prose and the Chinese one in its place, comments of commands too."""
    prose = [
        [block for block in readme if block.kind != "code"] + comments(readme)
        for readme in (ENGLISH, TRANSLATED)
    ]
    return [
        (english, chinese)
        for english, chinese in zip(*prose, strict=True)
        if english.text not in LINKS.values()
    ]


def differing(measure: Callable[[Block], object]) -> list[tuple[str, object, object]]:
    """How an English block begins, and what it and its counterpart hold, where that differs."""
    return [
        (english.text[:60], measure(english), measure(chinese))
        for english, chinese in pairs()
        if measure(english) != measure(chinese)
    ]


def figures(prose: str) -> Counter[str]:
    return Counter(FIGURE.findall(prose))


def in_figures(prose: str) -> str:
    """English with its months as Chinese has them: March is 3月."""
    for number, month in enumerate(MONTHS, 1):
        prose = re.sub(rf"\b{month}\b", f"{number}月", prose)
    return prose


def numerals(prose: str) -> Counter[str]:
    """Numbers that English has in words, which Chinese may write as figures."""
    words = Counter(re.findall(r"\w+", prose.lower()))
    return Counter({str(value): words[word] for value, word in enumerate(NUMERALS, 3)})


def published(readme: list[Block]) -> list[tuple[str, ...]]:
    """Name, grain and questions of each published table."""
    first = next(index for index, block in enumerate(readme) if "**marts.duckdb**" in block.text)
    last = next(index for index, block in enumerate(readme) if "`dates`" in block.text)
    rows = [
        tuple(cell.strip() for cell in block.text.strip("|").split("|"))
        for block in readme[first : last + 1]
    ]
    return [row for row in rows if row[0].startswith("`")]


def test_each_readme_links_to_the_other_below_its_title():
    for name, readme in (("README.md", ENGLISH), ("README.zh.md", TRANSLATED)):
        assert [block.kind for block in readme[:2]] == ["#", "paragraph"]
        assert readme[1].text == LINKS[name]


def test_the_blocks_are_of_the_same_kinds_in_the_same_order():
    assert [block.kind for block in ENGLISH] == [block.kind for block in TRANSLATED]
    assert {"#", "##", "###", "paragraph", "-", "|3", "|2", "code"} == {
        block.kind for block in ENGLISH
    }


def test_commands_and_outputs_are_the_same_but_for_comments():
    """A customer is explained in Chinese first in the Chinese README, and after that in English."""
    expected = code(ENGLISH)
    explained = [index for index, text in enumerate(expected) if text.startswith("shop:")]
    first, second = explained
    assert second == first + 1
    assert re.search(CHINESE, expected[second].split("\n")[0])
    expected[first], expected[second] = expected[second], expected[first]
    assert [without_comments(text) for text in code(TRANSLATED)] == [
        without_comments(text) for text in expected
    ]


def test_every_comment_of_a_command_is_translated():
    assert len(comments(ENGLISH)) > 10
    assert len(comments(TRANSLATED)) == len(comments(ENGLISH))
    assert [each.text for each in comments(TRANSLATED) if not re.search(CHINESE, each.text)] == []


def test_names_of_tables_commands_columns_and_files_are_the_same():
    assert differing(lambda block: Counter(CODE.findall(block.text))) == []


def test_linked_documents_are_the_same_and_exist():
    def linked(block: Block) -> list[str]:
        return [target for _, target in LINK.findall(block.text)]

    assert differing(linked) == []
    targets = {target for block in (*ENGLISH, *TRANSLATED) for target in linked(block)}
    assert sum(target.startswith("docs/") for target in targets) > 5
    assert [target for target in targets if not (PROJECT / target).is_file()] == []


def test_figures_are_the_same():
    assert sum(figures(english.prose).total() for english, _ in pairs()) > 40
    wrong = []
    for english, chinese in pairs():
        said, translated = figures(in_figures(english.prose)), figures(chinese.prose)
        missing, added = said - translated, translated - said - numerals(english.prose)
        if missing or added:
            wrong.append((english.text[:60], dict(missing), dict(added)))
    assert wrong == []


def test_every_published_table_has_its_grain_and_two_questions_in_both():
    english, chinese = published(ENGLISH), published(TRANSLATED)
    assert [name for name, _, _ in english] == [name for name, _, _ in chinese]
    assert len(english) > 30
    assert [name for name, grain, asked in english if not grain or asked.count("?") != 2] == []
    assert [
        name
        for name, grain, asked in chinese
        if not re.search(CHINESE, grain) or asked.count("？") != 2
    ] == []


def test_nothing_is_left_untranslated():
    assert [
        chinese.text
        for english, chinese in pairs()
        if re.search(r"[a-z]{2}", re.sub(r"\*\*.+?\*\*", "", english.prose))
        and not re.search(CHINESE, chinese.prose)
    ] == []


def test_chinese_has_its_own_punctuation_and_each_paragraph_is_one_line():
    """A line's end between two Chinese characters would be shown as a blank."""
    assert [
        match[0] for _, chinese in pairs() for match in HALF_WIDTH.finditer(chinese.prose)
    ] == []
    assert [chinese.text for _, chinese in pairs() if "\n" in chinese.text] == []
