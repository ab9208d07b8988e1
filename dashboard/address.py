"""A page's address: what a reader chose stands in it, as codes, so that a link shows the same.

Streamlit would write the labels, which change with the language.
"""

from collections.abc import Sequence

import streamlit as st

# One value each, or several.
KEYS = ("lang", "as_of", "dimension", "by", "customer")
LISTS = ("country", "type", "channel")


def take(key: str, options: Sequence[str] | None = None) -> None:
    """Give the widget `key` what was chosen on the page before, or else what the address says.

    What is not offered is dropped; with `options` None any text is taken. A widget that is not on
    the page loses its state, so what was chosen is kept beside it.
    """
    if key in st.session_state:
        chosen = st.session_state[key]
    elif key in _kept():
        chosen = _kept()[key]
    else:
        asked = st.query_params.get_all(key)
        chosen = asked if key in LISTS else (asked[0] if asked else None)
    if key in LISTS:
        found = [value for value in chosen if options is None or value in options]
        st.session_state[key] = found
    elif chosen and (options is None or chosen in options):
        st.session_state[key] = chosen
    elif key in st.session_state:
        del st.session_state[key]


def _kept() -> dict[str, str | list[str]]:
    return st.session_state.setdefault("chosen", {})


def give(defaults: dict[str, str]) -> None:
    """Write into the address what differs from the defaults."""
    said: dict[str, str | list[str]] = {}
    for key in (*KEYS, *LISTS):
        if key in st.session_state:
            _kept()[key] = st.session_state[key]
        value = _kept().get(key)
        if value and value != defaults.get(key):
            said[key] = value
    if said != _address():
        st.query_params.from_dict(said)


def _address() -> dict[str, str | list[str]]:
    return {
        key: st.query_params.get_all(key) if key in LISTS else st.query_params[key]
        for key in st.query_params
    }
