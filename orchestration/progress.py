"""What a run says while it works: lines for a person at a terminal, nothing elsewhere."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

Listener = Callable[[str], None]

_warnings: ContextVar[list[str] | None] = ContextVar("warnings", default=None)
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def say(message: str) -> None:
    """Hand a message to whoever listens to this run."""
    listener = _listener.get()
    if listener is not None:
        listener(message)


def warn(message: str) -> None:
    """Keep a warning for whoever collects them at the end of this run."""
    collected = _warnings.get()
    if collected is not None:
        collected.append(message)


@contextlib.contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect what this run warns of."""
    collected: list[str] = []
    token = _warnings.set(collected)
    try:
        yield collected
    finally:
        _warnings.reset(token)


def stage(name: str) -> Listener:
    """Return a listener that says each message as one of the stage `name`."""
    return lambda message: say(f"{name}: {message}")


def is_heard() -> bool:
    """Return whether a person listens, so that raw logs need not go to the terminal."""
    return _listener.get() is not None


@contextlib.contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Send what this run says to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
