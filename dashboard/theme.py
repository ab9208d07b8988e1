"""How the dashboard looks: one palette, one template for charts, one style sheet."""

from collections.abc import Sequence

import plotly.graph_objects as go

INK = "#1d2a35"
MUTED = "#637381"
LINE = "#dfe5ea"
PAPER = "#ffffff"
SURFACE = "#f5f7f9"
ACCENT = "#12607a"
ACCENT_SOFT = "#cfe3ea"
GOOD = "#2c7a4b"
BAD = "#b3423a"

# From the best to the least; each differs from its neighbours in lightness too.
BEST_TO_LEAST = ("#0c4a63", "#2b7f99", "#6fb1a0", "#c5c96a", "#e8a548", "#d9713f", "#a8423f")
NEUTRAL = "#aab4be"
OUT_OF_RANK = {"unknown", "no_order", "prospect", "insufficient_evidence", "acquisition"}

SEQUENCE = ((0.0, "#f3f8fa"), (0.5, "#7fb5c6"), (1.0, "#0c4a63"))
FONT = (
    '"Source Sans", "Source Sans Pro", "Noto Sans", "PingFang SC", "Microsoft YaHei", '
    '"Noto Sans CJK SC", sans-serif'
)


def colours(codes: Sequence[str]) -> dict[str, str]:
    """Return a colour for each code of a dimension, given from best to least.

    Codes that stand outside the ranking (unknown, prospects) are grey.
    """
    ranked = [code for code in codes if code not in OUT_OF_RANK]
    steps = len(BEST_TO_LEAST) - 1
    found = {code: NEUTRAL for code in codes}
    for place, code in enumerate(ranked):
        share = place / max(1, len(ranked) - 1)
        found[code] = BEST_TO_LEAST[round(share * steps)]
    return found


def shade(depth: float) -> str:
    """Return the colour that far, 0 to 1, between the ends of `SEQUENCE`."""
    light, dark = (
        [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        for colour in (SEQUENCE[0][1], SEQUENCE[-1][1])
    )
    mixed = [round(a + (b - a) * depth) for a, b in zip(light, dark, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in mixed)


def ink_on(depth: float) -> str:
    """Return the colour of text that reads on `shade(depth)`."""
    return "#fff" if depth > 0.55 else INK


def template() -> go.layout.Template:
    """Return the look of every chart."""
    axis = {
        "gridcolor": LINE,
        "linecolor": LINE,
        "zeroline": False,
        "ticks": "",
        "automargin": True,
        "title": {"font": {"size": 12, "color": MUTED}, "standoff": 8},
        "tickfont": {"size": 12, "color": MUTED},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": INK},
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "colorway": list(BEST_TO_LEAST),
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": PAPER,
                "bordercolor": LINE,
                "font": {"family": FONT, "size": 13, "color": INK},
            },
            "legend": {
                "orientation": "h",
                "yanchor": "bottom",
                "y": 1.02,
                "x": 0,
                "title": {"text": ""},
                "font": {"size": 12},
            },
            "separators": ".,",
        }
    )


STYLE = f"""
<style>
.block-container {{ max-width: 1240px; padding-top: 4rem; padding-bottom: 4rem; }}
h1 {{ font-size: 1.7rem !important; letter-spacing: -0.01em; padding-bottom: 0 !important; }}
.seg-lead {{ color: {MUTED}; margin: 0.1rem 0 1.0rem; max-width: 72ch; }}
.seg-section {{ margin: 1.6rem 0 0.5rem; border-top: 1px solid {LINE}; padding-top: 0.9rem; }}
.seg-section b {{ font-size: 1.08rem; }}
.seg-section span {{ display: block; color: {MUTED}; font-size: 0.88rem; max-width: 80ch; }}
.seg-kpis {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
  gap: 0.7rem; margin: 0.2rem 0 0.8rem; }}
.seg-kpi {{ background: {SURFACE}; border-radius: 8px; padding: 0.7rem 0.9rem; }}
.seg-kpi .name {{ color: {MUTED}; font-size: 0.84rem; }}
.seg-kpi .value {{ font-size: 1.5rem; font-weight: 600; font-variant-numeric: tabular-nums;
  line-height: 1.3; white-space: nowrap; }}
.seg-kpi .note {{ color: {MUTED}; font-size: 0.82rem; font-variant-numeric: tabular-nums; }}
.up {{ color: {GOOD}; }} .down {{ color: {BAD}; }}
.seg-scroll {{ overflow-x: auto; }}
table.seg {{ border-collapse: collapse; width: 100%; font-size: 0.92rem; }}
table.seg th {{ color: {MUTED}; font-weight: 500; font-size: 0.82rem; text-align: left;
  border-bottom: 1px solid {LINE}; padding: 0.3rem 0.6rem; vertical-align: bottom; }}
table.seg td {{ padding: 0.32rem 0.6rem; border-bottom: 1px solid {SURFACE}; }}
/* Chinese may break anywhere: on a phone a name would stand upright, a letter a line. */
table.seg th, table.seg td {{ word-break: keep-all; }}
table.seg td:has(.dot) {{ white-space: nowrap; }}
table.seg th.number, table.seg td.number {{ text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }}
table.seg td.bar {{ min-width: 74px; width: 11%; }}
table.seg td.bar i {{ display: block; height: 9px; border-radius: 2px; background: {ACCENT}; }}
table.seg td .dot {{ display: inline-block; width: 9px; height: 9px; border-radius: 50%;
  margin-right: 0.5rem; }}
table.seg td.when {{ white-space: nowrap; font-variant-numeric: tabular-nums; }}
table.seg tr.total td {{ border-top: 1px solid {MUTED}; font-weight: 600; }}
table.seg td.heat {{ text-align: right; font-variant-numeric: tabular-nums; }}
table.heats td:not(:first-child) {{ border: 2px solid {PAPER}; }}
table.heats:not(.small) {{ table-layout: fixed; min-width: 30rem; }}
table.heats.small td.heat, table.heats.small th {{ padding: 0.22rem 0.25rem; font-size: 0.74rem; }}
.seg-note {{ background: #fdf6e7; border-left: 3px solid #e8a548; padding: 0.5rem 0.8rem;
  margin: 0 0 0.8rem; font-size: 0.92rem; border-radius: 0 6px 6px 0; }}
.seg-foot {{ color: {MUTED}; font-size: 0.8rem; }}
.seg-tiles {{ display: grid; gap: 6px; }}
.seg-tile {{ border-radius: 8px; padding: 0.8rem 0.9rem; min-height: 92px; }}
.seg-tile .name {{ font-weight: 600; }}
.seg-tile .value {{ font-size: 1.25rem; font-variant-numeric: tabular-nums; }}
.seg-tile .note {{ font-size: 0.84rem; font-variant-numeric: tabular-nums; }}
dl.seg {{ display: grid; grid-template-columns: minmax(110px, 190px) 1fr; }}
dl.seg, dl.seg dt, dl.seg dd {{ margin: 0 !important; }}
dl.seg dt {{ color: {MUTED}; padding: 0.28rem 0.6rem 0.28rem 0; font-size: 0.9rem;
  border-bottom: 1px solid {SURFACE}; }}
dl.seg dd b {{ font-weight: 600; }}
dl.seg dd .why {{ color: {MUTED}; font-size: 0.9rem; }}
dl.seg dd {{ padding: 0.28rem 0; border-bottom: 1px solid {SURFACE}; }}
table.seg td:first-child {{ min-width: 108px; }}
@media (max-width: 640px) {{
  table.seg td.bar, table.seg th.bar {{ display: none; }}
  table.seg th, table.seg td {{ padding-left: 0.3rem; padding-right: 0.3rem; }}
  .seg-kpi .value {{ font-size: 1.25rem; }}
  .block-container {{ padding-left: 1rem; padding-right: 1rem; }}
  dl.seg {{ grid-template-columns: 1fr; }}
  dl.seg dt {{ border-bottom: 0; padding-bottom: 0; }}
}}
</style>
"""
