"""Two kinds of plots as SVG, readable on a light and on a dark page."""

from __future__ import annotations

import collections.abc as cabc
import html
import math

_COLOURS = ("#2f6fde", "#e0782f", "#3a9a5b", "#b0479a", "#8a7a3f", "#4b9fb5", "#c23b3b")
_WIDTH, _LEFT, _TOP, _PLOT = 760, 64, 56, 260
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}"
    ".title{font-weight:600;font-size:14px}"
    ".grid{stroke:#8886;stroke-width:1}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)

Series = cabc.Mapping[str, cabc.Sequence[float | None]]


def bars(title: str, unit: str, groups: cabc.Sequence[str], series: Series) -> str:
    """Return a plot of groups of bars, whose heights are logarithms."""
    low, high = _decades(series)
    step = (_WIDTH - _LEFT - 10) / len(groups)
    width = step * 0.8 / len(series)
    parts = []
    for number, (name, values) in enumerate(series.items()):
        for group, value in enumerate(values):
            if value is None:
                continue
            top = _height(value, low, high)
            x = _LEFT + step * (group + 0.1) + width * number
            parts.append(
                f'<rect x="{x:.1f}" y="{top:.1f}" width="{width * 0.92:.1f}" '
                f'height="{_TOP + _PLOT - top:.1f}" fill="{_colour(number)}">'
                f"<title>{_text(name)}, {_text(groups[group])}: {value:.3g} {_text(unit)}</title>"
                "</rect>"
            )
    labels = [(_LEFT + step * (group + 0.5), name) for group, name in enumerate(groups)]
    return _plot(title, unit, low, high, labels, list(series), parts)


def lines(title: str, unit: str, positions: cabc.Sequence[str], series: Series) -> str:
    """Return a plot of lines over equidistant positions, whose heights are logarithms."""
    low, high = _decades(series)
    step = (_WIDTH - _LEFT - 10) / len(positions)
    parts = []
    for number, (name, values) in enumerate(series.items()):
        points = [
            (_LEFT + step * (place + 0.5), _height(value, low, high), value)
            for place, value in enumerate(values)
            if value is not None
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        colour = _colour(number)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}">'
            f"<title>{_text(name)}: {value:.3g} {_text(unit)}</title></circle>"
            for x, y, value in points
        ]
    labels = [(_LEFT + step * (place + 0.5), name) for place, name in enumerate(positions)]
    return _plot(title, unit, low, high, labels, list(series), parts)


def _plot(
    title: str,
    unit: str,
    low: int,
    high: int,
    labels: cabc.Iterable[tuple[float, str]],
    names: cabc.Sequence[str],
    parts: cabc.Iterable[str],
) -> str:
    height = _TOP + _PLOT + 30
    grid = []
    for decade in range(low, high + 1):
        y = _height(10**decade, low, high)
        grid.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - 10}"/>')
        grid.append(
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10**decade:g}</text>'
        )
    legend, x = [], float(_LEFT)
    for number, name in enumerate(names):
        legend.append(
            f'<rect x="{x:.0f}" y="32" width="10" height="10" fill="{_colour(number)}"/>'
            f'<text x="{x + 14:.0f}" y="41">{_text(name)}</text>'
        )
        x += 30 + 6.6 * len(name)
    below = [
        f'<text x="{x:.1f}" y="{_TOP + _PLOT + 18}" text-anchor="middle">{_text(name)}</text>'
        for x, name in labels
    ]
    body = "\n".join([*grid, *parts, *below, *legend])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">\n'
        f"<title>{_text(title)}</title><style>{_STYLE}</style>\n"
        f'<text class="title" x="{_LEFT}" y="18">{_text(title)} ({_text(unit)})</text>\n'
        f"{body}\n</svg>\n"
    )


def _decades(series: Series) -> tuple[int, int]:
    values = [value for row in series.values() for value in row if value]
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def _height(value: float, low: int, high: int) -> float:
    share = (math.log10(max(value, 10**low)) - low) / (high - low or 1)
    return _TOP + _PLOT * (1 - share)


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


_text = html.escape
