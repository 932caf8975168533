"""The results as Markdown and SVG."""

from __future__ import annotations

import collections.abc as cabc
from pathlib import Path

from . import svg
from .contestants import Contestant
from .contestants import list_all
from .growth import SIZES
from .method import Figure
from .results import Results
from .scenarios import SCENARIOS
from .scenarios import WRITERS

TEMPLATE = Path(__file__).with_name("performance.md")

_FRAMEWORKS = {"wsgi": "plain WSGI", "flask": "Flask", "django": "Django", "pyramid": "Pyramid"}
_PLOTTED = frozenset({"read", "write", "create", "login"})
_UNTOUCHED = ("untouched", "untouched-cookie")

#: Below so many microseconds the framework's own jitter is larger than what is compared.
_NOISE = 2.0


def text(results: Results) -> str:
    """Return the tables."""
    return "\n\n".join(part for part in _parts(results).values() if part)


def write(results: Results, docs: Path) -> cabc.Iterator[Path]:
    """Write the page and its plots; yield their paths."""
    folder = docs / "performance"
    folder.mkdir(exist_ok=True)
    for name, plot in _plots(results).items():
        path = folder / f"{name}.svg"
        path.write_text(plot, encoding="utf-8")
        yield path
    page = TEMPLATE.read_text(encoding="utf-8")
    for name, part in _parts(results).items():
        page = page.replace(f"<!-- {name} -->", part)
    path = docs / "performance.md"
    path.write_text(page, encoding="utf-8")
    yield path


def _parts(results: Results) -> dict[str, str]:
    return {
        "run": _run(results),
        "compared": _compared(results),
        "behind": _behind(results),
        "raw": _raw(results),
        "counts": _counts(results),
        "contended": _contended(results),
        "all": _all(results),
        "numbers": _numbers(results),
        "sizes": _sizes(results),
        "memory": _memory(results),
        "imports": _imports(results),
        "troubles": _troubles(results),
    }


# --- tables ---


def _table(head: cabc.Sequence[str], rows: cabc.Iterable[cabc.Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}"


def _cell(figure: Figure | None) -> str:
    return "–" if figure is None else _number(figure.median)


def _titles(scenarios: cabc.Iterable[str]) -> list[str]:
    return [SCENARIOS[name].title for name in scenarios]


def _run(results: Results) -> str:
    machine = results.machine
    middle, high = results.spread()
    pinned = "not pinned" if machine.pinned is None else "everything pinned to one"
    lines = [
        (
            f"{machine.date}: {machine.description}, {pinned}; {machine.rounds} rounds in "
            f"{machine.seconds / 60:.0f} minutes, load {machine.load_before:.1f} before and "
            f"{machine.load_after:.1f} after."
        ),
        (
            f"The quartiles of the rounds are {middle:.0%} of the median apart in the middle cell, "
            f"and {high:.0%} in the worst tenth."
        ),
        *(
            f"{title} ran twice, as if it were two: the ratios of its figures are {low:.2f} to "
            f"{high:.2f}."
            for title, low, high in results.twins()
        ),
        f"Versions: {', '.join(machine.versions)}.",
    ]
    return "\n".join(lines)


def _compared(results: Results) -> str:
    return "\n\n".join(
        f"**{name}**\n\n{_comparison(results, framework)}"
        for framework, name in _FRAMEWORKS.items()
        if results.contestants(framework, "ours")
    )


def _comparison(results: Results, framework: str) -> str:
    rows = []
    for ours in results.contestants(framework, "ours"):
        row = [f"{_kind(ours)}{ours.store}"]
        for scenario in results.scenarios:
            mine = results.overhead(ours, scenario)
            best = results.cheapest(framework, _compared_with(ours), scenario)
            cell = _cell(mine)
            if mine and best:
                cell += f" ({_cell(best[1])}{_ratio(mine, best[1])})"
            row.append(cell)
        rows.append(row)
    return _table([_FRAMEWORKS[framework], *_titles(results.scenarios)], rows)


def _ratio(mine: Figure, best: Figure) -> str:
    """Return by how much we are cheaper, where that can be told."""
    if min(mine.median, best.median) < _NOISE:
        return ""
    return f", ×{mine.median / best.median:.2f}"


def _kind(ours: Contestant) -> str:
    return "model store, " if "model" in ours.name else ""


def _compared_with(ours: Contestant) -> str:
    """Return the store whose peers it is compared with: no peer encrypts."""
    return "cookie" if ours.store == "encrypted" else ours.store


def _behind(results: Results) -> str:
    found = []
    for ours in list_all():
        if ours.kind != "ours":
            continue
        for scenario in results.scenarios:
            mine = results.overhead(ours, scenario)
            best = results.cheapest(ours.framework, _compared_with(ours), scenario)
            if mine and best and mine.median > best[1].median + _NOISE / 4:
                found.append(
                    f"- {SCENARIOS[scenario].title}, {_kind(ours)}{ours.store} in "
                    f"{_FRAMEWORKS[ours.framework]}: {_cell(mine)}, {best[0].name} {_cell(best[1])}"
                )
    return "\n".join(found) or "Nowhere in this run."


def _raw(results: Results) -> str:
    scenarios = [name for name in results.scenarios if name not in (*_UNTOUCHED, "contended")]
    rows = []
    for raw in results.contestants("raw", "raw"):
        ours = next(one for one in list_all() if (one.title == f"sessionkit/wsgi/{raw.store}"))
        row = [f"{raw.store}, {raw.name}"]
        for scenario in scenarios:
            mine, floor = results.overhead(ours, scenario), results.overhead(raw, scenario)
            cell = _cell(floor)
            if mine and floor:
                cell += f" ×{mine.median / floor.median:.2f}"
            row.append(cell)
        rows.append(row)
    return _table(["raw", *_titles(scenarios)], rows)


def _counts(results: Results) -> str:
    scenarios = [name for name in results.scenarios if name != "contended"]
    rows = []
    for one in list_all():
        found = results.counts.get(one.title, {})
        if not any(counts.commands for counts in found.values()):
            continue
        cells = []
        for name in scenarios:
            counts = found.get(name)
            trips = f" ({counts.round_trips})" if counts and counts.round_trips else ""
            cells.append("–" if counts is None else f"{counts}{trips}")
        rows.append([f"{one.name}, {one.store}, {_FRAMEWORKS[one.framework]}", *cells])
    return _table(["", *_titles(scenarios)], rows)


def _contended(results: Results) -> str:
    rows = []
    for one in list_all():
        rounds = results.rounds.get(one.title, {}).get("contended")
        overhead = results.overhead(one, "contended")
        if not rounds or not overhead or one.kind == "bare":
            continue
        lost = sum(each["lost"] for each in rounds) / len(rounds)
        failed = sum(each["failed"] for each in rounds) / len(rounds)
        name = f"{one.name}, {one.store}, {_FRAMEWORKS[one.framework]}"
        rows.append([name, _cell(overhead), f"{lost:.0%}", f"{failed:.0%}"])
    return _table([f"{WRITERS} threads", "us a write", "writes lost", "requests failed"], rows)


def _all(results: Results) -> str:
    parts = []
    for framework, name in [*_FRAMEWORKS.items(), ("raw", "raw")]:
        scenarios = [one for one in results.scenarios if framework != "raw" or one != "contended"]
        rows = [
            [f"{one.name}, {one.store}", *(_with_spread(results, one, each) for each in scenarios)]
            for one in results.contestants(framework, "ours", "peer", "raw")
        ]
        bare = results.contestants(framework, "bare")
        rows += [
            ["*without sessions*", *(_cell(results.whole(one.title, each)) for each in scenarios)]
            for one in bare
        ]
        if rows:
            parts.append(_table([name, *_titles(scenarios)], rows))
    return "\n\n".join(parts)


def _with_spread(results: Results, one: Contestant, scenario: str) -> str:
    figure = results.overhead(one, scenario)
    return "–" if figure is None else f"{_cell(figure)} ±{_number(figure.spread / 2)}"


def _numbers(results: Results) -> str:
    if not results.numbers:
        return ""
    most = max(len(row["read"]) for row in results.numbers.values())
    heads = [f"{10 ** (3 + place):,}" for place in range(most)]
    return _table(
        ["sessions", *heads],
        [
            [f"{store}, {name}", *_padded(values, most)]
            for store, row in results.numbers.items()
            for name, values in row.items()
        ],
    )


def _sizes(results: Results) -> str:
    if not results.sizes:
        return ""
    return _table(
        ["session of", *SIZES],
        [
            [f"{store}, {name}", *_padded(values, len(SIZES))]
            for store, row in results.sizes.items()
            for name, values in row.items()
        ],
    )


def _padded(values: cabc.Sequence[float], length: int) -> list[str]:
    return [*map(_number, values), *["–"] * (length - len(values))]


def _memory(results: Results) -> str:
    if not results.memory:
        return ""
    names = {one.title: f"{one.name}, {_FRAMEWORKS.get(one.framework)}" for one in list_all()}
    rows = [[names[title], f"{taken:,.0f}"] for title, taken in results.memory.items()]
    return _table(["in memory", "bytes for a session of 1 KB"], rows)


def _imports(results: Results) -> str:
    if not results.imports:
        return ""
    rows = [
        [
            f"`{name}`",
            f"{each.milliseconds:.0f}",
            str(each.modules),
            ", ".join(f"{package} {ms:.1f}" for package, ms in each.dearest),
        ]
        for name, each in results.imports.items()
    ]
    return _table(["import", "ms", "modules", "most of it, in ms by Python's own count"], rows)


def _troubles(results: Results) -> str:
    return "\n".join(f"- {name} does not run: {why}" for name, why in results.troubles.items())


# --- plots ---


def _plots(results: Results) -> dict[str, str]:
    plots = {}
    for framework, name in _FRAMEWORKS.items():
        ours = [
            one
            for one in results.contestants(framework, "ours")
            if "model" not in one.name and one.store != "encrypted"
        ]
        if framework == "pyramid" or not ours:
            continue
        for scenario in _PLOTTED.intersection(results.scenarios):
            mine = [_height(results.overhead(one, scenario)) for one in ours]
            best = [results.cheapest(framework, one.store, scenario) for one in ours]
            raw = [_height(results.whole(f"raw-client/raw/{one.store}", scenario)) for one in ours]
            plots[f"{framework}-{scenario}"] = svg.bars(
                f"{SCENARIOS[scenario].title}, {name}",
                "us more than without sessions",
                [one.store for one in ours],
                {
                    "raw client alone": raw,
                    "sessionkit": mine,
                    "cheapest peer": [_height(pair[1] if pair else None) for pair in best],
                },
            )
    if results.numbers:
        most = max(len(row["read"]) for row in results.numbers.values())
        heads = [f"{10 ** (3 + place):,}" for place in range(most)]
        for name in ("read", "write", "create"):
            lines = {store: row[name] for store, row in results.numbers.items()}
            plots[f"sessions-{name}"] = svg.lines(
                f"{SCENARIOS[name].title}, by the number of sessions", "us a request", heads, lines
            )
    if results.sizes:
        for name in ("read", "write"):
            lines = {store: row[name] for store, row in results.sizes.items()}
            plots[f"size-{name}"] = svg.lines(
                f"{SCENARIOS[name].title} one small key, by the size of the session",
                "us a request",
                list(SIZES),
                lines,
            )
    return plots


def _height(figure: Figure | None) -> float | None:
    return max(figure.median, 0.1) if figure else None
