"""A console for people that shows control characters of what was delivered and never sends them.

An id, a file name or a note may hold escape sequences that retitle a window, hide lines or, in some
terminals, type commands.
"""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# To their pictures: ESC becomes the sign of ESC. Line ends are rich's own by then.
PICTURES = {code: 0x2400 + code for code in range(0x20) if code != 0x0A}
PICTURES |= {0x7F: 0x2421, **dict.fromkeys(range(0x80, 0xA0), 0xFFFD)}
# Those that turn the direction of a line, so that it reads as another one, and odd line ends.
TURNING = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
PICTURES |= dict.fromkeys(TURNING, 0xFFFD)


def shown(text: str) -> str:
    """Return a text with a visible sign in place of each control character but line ends."""
    return text.translate(PICTURES)


class PlainConsole(Console):
    """A console that sends no control character but its own."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Yield segments, their text without control characters."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(shown(segment.text), segment.style)
