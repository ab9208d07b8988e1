"""The dashboard's one script: which version, which reader's choice, which page."""

import datetime
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import address, theme
from dashboard.codes import OPENED_WITH, OVER_TIME
from dashboard.view import View, asked, read_labels
from dashboard.views import (
    clv,
    customer,
    lifecycle,
    movements,
    overview,
    rfm,
    segments,
    trust,
    value,
)
from dashboard.warehouse import Choice, NothingPublished, Warehouse, newest_number, open_warehouse
from orchestration.home import home
from orchestration.wording import Language, Words

# A file of our own: Streamlit's icons for a tab come from outside.
ICON = Path(__file__).parent / "icon.svg"
LANGUAGES = {"en": "English", "zh": "中文"}
# How often an open page looks whether there is a new version.
LOOK_EVERY = datetime.timedelta(seconds=10)

# What the pages ask of all customers at the newest as-of, or of the whole ledger: up to two seconds
# each at a million.
ASKED_AHEAD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("totals", {}),
    ("codes", {"column": OPENED_WITH}),
    ("revenue", {}),
    ("stage_moves", {}),
    ("clv_status", {}),
    ("portrait", {"column": "final_segment"}),
    ("over_time", {"column": OVER_TIME}),
)
# What a filter's figures are added up from.
CUBES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("codes", {"column": OPENED_WITH}),
    ("revenue", {}),
    ("over_time", {"column": OVER_TIME}),
    ("stage_moves", {}),
)

Page = Callable[[View], None]
PAGES: tuple[tuple[str, str, Words, Page], ...] = (
    ("overview", ":material/dashboard:", Words("Overview", "总览"), overview.show),
    ("rfm", ":material/grid_on:", Words("RFM grid", "RFM矩阵"), rfm.show),
    ("value", ":material/diamond:", Words("Value", "客户价值"), value.show),
    ("lifecycle", ":material/autorenew:", Words("Lifecycle", "生命周期"), lifecycle.show),
    ("clv", ":material/trending_up:", Words("Lifetime value", "终身价值"), clv.show),
    ("movements", ":material/swap_horiz:", Words("Movements", "客户迁移"), movements.show),
    ("segments", ":material/groups:", Words("Segments", "客户分群"), segments.show),
    ("customer", ":material/person_search:", Words("Customer", "客户查询"), customer.show),
    ("trust", ":material/verified:", Words("Data trust", "数据可信度"), trust.show),
)


@st.cache_resource(max_entries=3, show_spinner=False)
def warehouse_of(root: str, number: int) -> Warehouse:
    """Return the version of this number, opened once for all readers.

    What the pages ask most is asked at once, before the first reader gets to them.
    """
    warehouse = open_warehouse(home(), number)
    threading.Thread(target=_ask_ahead, args=(warehouse,), daemon=True).start()
    return warehouse


def _ask_ahead(warehouse: Warehouse) -> None:
    if not warehouse.days:
        return
    for query, bound in ASKED_AHEAD:
        asked(warehouse, query, warehouse.choice(), **bound)
    for query, bound in CUBES:
        asked(warehouse, query, warehouse.choice(), cube=True, **bound)
    # A filter that lets all through numbers the rows that each filter reads.
    types = tuple(row["code"] for row in asked(warehouse, "filters") if row["filter"] == "types")
    asked(warehouse, "totals", warehouse.choice(types=types))


@st.cache_resource(max_entries=3, show_spinner=False)
def words_of(root: str, number: int) -> tuple:
    """Return the names of codes of a version."""
    return read_labels(warehouse_of(root, number))


@st.fragment(run_every=LOOK_EVERY)
def watch(shown: int) -> None:
    """Show the new version as soon as one is published."""
    if newest_number(home()) != shown:
        st.rerun()


def choose(warehouse: Warehouse, language: Language, labels: dict) -> Choice:
    """Return what the reader chose in the sidebar; it stands in the page's address too."""

    def say(en: str, zh: str) -> str:
        return Words(en, zh).say(language)

    offered: dict[str, list[str]] = {"countries": [], "types": [], "channels": []}
    for row in asked(warehouse, "filters"):
        offered[row["filter"]].append(row["code"])

    def named(dimension: str) -> Callable[[str], str]:
        def name(code: str) -> str:
            words = labels.get((dimension, code))
            return code if words is None else words.say(language)

        return name

    days = [day.isoformat() for day in warehouse.days]
    address.take("as_of", days)
    for key, name in (("country", "countries"), ("type", "types"), ("channel", "channels")):
        address.take(key, offered[name])
    with st.sidebar:
        day = st.selectbox(
            say("As of", "截止日期"),
            days,
            key="as_of",
            format_func=lambda each: (
                say(f"{each} (newest)", f"{each}（最新）") if each == days[0] else each
            ),
            help=say(
                "The newest day of the data, or a month-end as the history reported it.",
                "数据的最新一天，或历史记录中的某个月末。",
            ),
        )
        countries = st.multiselect(
            say("Country", "国家"),
            offered["countries"],
            key="country",
            placeholder=say("All", "全部"),
            format_func=lambda code: say("Unknown", "未知") if code == "unknown" else code,
        )
        types = st.multiselect(
            say("Customer type", "客户类型"),
            offered["types"],
            key="type",
            placeholder=say("All", "全部"),
            format_func=named("customer_type"),
        )
        channels = st.multiselect(
            say("Buys", "购买渠道"),
            offered["channels"],
            key="channel",
            placeholder=say("All", "全部"),
            format_func=named("channel_preference"),
        )
    return warehouse.choice(
        datetime.date.fromisoformat(day) if day else None,
        countries=tuple(countries),
        types=tuple(types),
        channels=tuple(channels),
    )


def choose_language() -> Language:
    """Return the reader's language."""
    address.take("lang", list(LANGUAGES))
    with st.sidebar:
        code = st.segmented_control(
            "Language / 语言",
            list(LANGUAGES),
            default=None if "lang" in st.session_state else "en",
            required=True,
            key="lang",
            format_func=LANGUAGES.get,
            label_visibility="collapsed",
        )
    return Language(code or "en")


def main() -> None:
    """Show the page that the reader is on."""
    st.set_page_config(page_title="Segments", page_icon=str(ICON), layout="wide")
    st.html(theme.STYLE)
    language = choose_language()
    place = home()
    try:
        number = newest_number(place)
    except NothingPublished:
        st.title("Nothing is published yet", anchor=False)
        st.write("Run `make demo`, or `./segments run` on your own deliveries. 尚未发布任何版本。")
        return
    warehouse = warehouse_of(str(place.root), number)
    if not warehouse.days:
        st.title(Words("No customers yet", "尚无客户").say(language), anchor=False)
        st.write(
            Words(
                "The published version holds no accepted order, refund or interaction. "
                "`./segments status` says what was delivered; deliveries belong into "
                "`landing/<source>/<feed>/`.",
                "已发布的版本中没有被接受的订单、退款或互动。`./segments status`显示送达情况；"
                "数据文件应放入`landing/<source>/<feed>/`。",
            ).say(language)
        )
        watch(number)
        return
    labels, codes = words_of(str(place.root), number)

    def page(show: Page, path: str) -> Callable[[], None]:
        def run() -> None:
            view = View(warehouse, choose(warehouse, language, labels), language, labels, codes)
            show(view)
            _foot(view)
            address.give({"lang": "en", "as_of": warehouse.days[0].isoformat()})
            watch(number)

        run.__name__ = path
        return run

    chosen = st.navigation(
        [
            st.Page(
                page(show, path),
                title=words.say(language),
                icon=icon,
                url_path=path,
                default=path == "overview",
            )
            for path, icon, words, show in PAGES
        ],
        expanded=True,
    )
    chosen.run()


def _foot(view: View) -> None:
    manifest = view.warehouse.manifest
    st.html(
        '<div class="seg-section seg-foot">'
        + view.say(
            "Version {number}, published {at} UTC, rules {rules}. Amounts are in the base "
            "currency; guests are in no segment.",
            "版本{number}，发布于{at}（UTC），规则版本{rules}。金额以本位币计；游客不属于任何分群。",
            number=view.warehouse.number,
            at=manifest["published_at"][:16].replace("T", " "),
            rules=manifest["rule_version"],
        )
        + "</div>"
    )


main()
