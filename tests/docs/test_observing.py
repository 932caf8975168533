"""The recipes of the page on observing, run as they stand there, against the real libraries."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sessionkit import signals

PAGE = Path(__file__).parents[2] / "docs" / "observing.md"

#: A site that makes every signal.
SITE = """
from sessionkit import Session, SessionManager
from sessionkit.errors import StoreUnavailable
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock

class Store(MemoryStore):
    is_down = False
    rival = None

    def get(self, key):
        if self.is_down:
            raise StoreUnavailable("is on fire")
        return super().get(key)

    def swap(self, key, expected, record):
        rival, self.rival = self.rival, None
        if rival is not None:
            visit(rival, lambda session: session.update(b=1))
        return super().swap(key, expected, record)

clock = FakeClock(2e9)
store = Store(clock=clock)
manager = SessionManager(store, clock=clock, sleep=clock.sleep)

def visit(cookie, view):
    session = manager.open(f"sid={cookie}" if cookie else None)
    view(session)
    instruction = manager.commit(session)
    return getattr(instruction, "value", cookie)

def look(session):
    session.get("a")

def live():
    cookie = visit(None, lambda session: session.update(a=1))
    store.rival = cookie
    visit(cookie, lambda session: session.update(a=2))
    visit("forged", look)
    new = visit(cookie, lambda session: session.bind("ann"))
    visit(cookie, lambda session: session.update(late=1))
    visit(new, Session.destroy)
    kept = visit(None, lambda session: session.bind("bob"))
    store.is_down = True
    try:
        visit(kept, look)
    except StoreUnavailable:
        pass

def recover():
    store.is_down = False
    clock.advance(15 * 24 * 3600)
    visit(visit(None, lambda session: session.bind("cy")), look)
"""

PROMETHEUS = """
from pathlib import Path
from prometheus_client import generate_latest
live()
print(generate_latest().decode())
recover()
print(generate_latest().decode().replace("sessions_store_down", "now_down"))
"""

OPEN_TELEMETRY = """
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

reader, exporter = InMemoryMetricReader(), InMemorySpanExporter()
metrics.set_meter_provider(MeterProvider([reader]))
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

def show():
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    print(scope.scope.name, metric.name, dict(point.attributes), point.value)

with trace.get_tracer("site").start_as_current_span("request"):
    live()
show()
for event in exporter.get_finished_spans()[0].events:
    print(event.name, dict(event.attributes))
recover()
show()
"""


def examples(heading: str) -> str:
    sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    section = next(one for one in sections if one.startswith(heading))
    found = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return "\n".join(found)


def run(*parts: str, folder: Path | None = None) -> str:
    """Run it in a process of its own, since receivers stay."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(parts)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prometheus() -> str:
    return run(examples("Prometheus"), SITE, PROMETHEUS)


@pytest.mark.parametrize(
    "line",
    [
        'sessions_created_total{owned="False"} 1.0',
        'sessions_created_total{owned="True"} 1.0',
        'sessions_loaded_total{owned="False"} 3.0',
        'sessions_saved_total{reason="changed"} 2.0',
        'sessions_renewed_total{owned="True",owner_changed="True"} 1.0',
        "sessions_conflict_total 1.0",
        "sessions_merged_total 1.0",
        'sessions_dropped_total{reason="superseded"} 1.0',
        'sessions_destroyed_total{reason="ended"} 1.0',
        'sessions_rejected_total{reason="malformed"} 1.0',
        "sessions_superseded_use_total 1.0",
        'sessions_store_down{node=""} 1.0',
        'now_down{node=""} 0.0',
    ],
)
def test_prometheus(prometheus: str, line: str) -> None:
    assert line in prometheus.splitlines()


@pytest.fixture(scope="module")
def open_telemetry() -> str:
    return run(examples("OpenTelemetry"), SITE, OPEN_TELEMETRY)


@pytest.mark.parametrize(
    "line",
    [
        "sessionkit sessions.created {'owned': False} 1",
        "sessionkit sessions.saved {'reason': 'changed'} 2",
        "sessionkit sessions.renewed {'owned': True, 'owner_changed': True} 1",
        "sessionkit sessions.conflict {} 1",
        "sessionkit sessions.dropped {'reason': 'superseded'} 1",
        "sessionkit sessions.store.down {'node': ''} 1",
        "sessionkit sessions.store.down {'node': ''} 0",
        "session merged {'keys': ('a',)}",
        "session dropped {'reason': 'superseded', 'keys': ('late',)}",
        "session rejected {'reason': 'malformed'}",
    ],
)
def test_open_telemetry(open_telemetry: str, line: str) -> None:
    assert line in open_telemetry.splitlines()


def table() -> dict[str, set[str]]:
    """What each signal carries, and its reasons, as the page says."""
    rows = re.findall(r"^\| (`.*?`) \|.*\| (.*?) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {
        name: set(re.findall(r"`(\w+)`", carried)) - {"session"}
        for names, carried in rows
        for name in re.findall(r"`(\w+)`", names)
    }


def test_the_table_says_what_the_module_says() -> None:
    source = Path(signals.__file__).read_text("utf-8")
    found = re.findall(r"((?:^#: .*\n)+)^(\w+): Signal", source, re.MULTILINE)
    assert table() == {name: set(re.findall(r"``(\w+)``", text)) for text, name in found}


def test_every_signal_is_in_both_recipes() -> None:
    names = table().keys() - {"store_down", "store_up"}
    assert names == set(re.findall(r'^    "(\w+)": \[', examples("Prometheus"), re.MULTILINE))
    listed = examples("OpenTelemetry").partition("NAMES = [")[2].partition("]")[0]
    assert names == set(re.findall(r'"(\w+)"', listed))


@pytest.mark.parametrize("heading", ["Signals", "Why was this saved"])
def test_the_other_examples_run(heading: str) -> None:
    imports = examples("How many").partition("manager =")[0]
    run(imports, examples(heading))


def test_the_number_of_sessions_for_the_node_exporter(tmp_path: Path) -> None:
    run(examples("How many"), "write_count(manager, 'sessions.prom')", folder=tmp_path)
    lines = (tmp_path / "sessions.prom").read_text().splitlines()
    assert 'sessions_live{owned="True"} 0.0' in lines
    assert 'sessions_live{owned="False"} 1.0' in lines
