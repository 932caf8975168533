"""Imports point downwards. Read off the sources, so that it holds for code that no test runs."""

import ast
import collections.abc as cabc
import graphlib
import sys
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "sessionkit"

# From low to high. A module may import from its own layer and from lower ones.
# A new module goes to the lowest layer that its imports allow.
LAYERS = [
    {"errors"},
    {"store", "cookie", "caching", "clock", "id_header"},
    {"refusal", "unpacking", "custom_types", "extension_types", "preparation", "codec", "payload"}
    | {"tokens", "keys", "aead", "seals", "merge", "expiring", "in_place", "replay"}
    | {"values", "policy", "signals"},
    {"devices", "moments"},
    {"session", "mapping", "facts", "draft", "flash", "checking", "typed", "custom_cookies"},
    {
        "manager",
        "answer",
        "base_committer",
        "base_manager",
        "breaker",
        "census",
        "committer",
        "counting",
        "encryption",
        "endings",
        "gateway",
        "housekeeping",
        "limit",
        "line",
        "loader",
        "owners",
        "patience",
        "records",
        "replacing",
        "sealed",
        "sealing",
        "trace",
        "trace_text",
    },
    {"middleware", "current", "nesting", "routes", "status", "testing"},
    {""},  # sessionkit/__init__.py: re-exports
    {"command_line"},
    {"__main__"},
]
STORES_MAY_IMPORT = {"store", "errors"}

# What may be imported from outside the standard library.
DEPENDENCIES = {"blinker", "itsdangerous", "markupsafe", "ormsgpack", "werkzeug"}
CLIENTS = {
    "checking": {"typeguard", "typing_extensions"},
    "command_line": {"tqdm"},
    "testing.fixtures": {"pytest"},
    "aead": {"cryptography"},
    "stores.memcached": {"pymemcache"},
    "stores._memcached_connection": {"pymemcache"},
    "stores._memcached_servers": {"pymemcache"},
    "stores._memcached_sources": {"pymemcache"},
    "stores.sqlalchemy": {"sqlalchemy"},
    "stores._sqlalchemy_connections": {"sqlalchemy"},
    "stores._sqlalchemy_engine": {"sqlalchemy"},
    "stores._sqlalchemy_errors": {"sqlalchemy"},
    "stores._sqlalchemy_table": {"sqlalchemy"},
    "stores._redis_cluster": {"redis"},
    "stores._redis_connections": {"redis"},
    "stores._redis_sentinel": {"redis"},
    "stores._redis_server": {"redis"},
    "stores._redis_sources": {"redis"},
    "stores._redis_wire": {"redis"},
    "stores.postgres": {"psycopg"},
    "stores._postgres_connections": {"psycopg", "psycopg_pool"},
    "stores._postgres_errors": {"psycopg"},
    "stores._postgres_connection": {"psycopg"},
}


class Arrow(t.NamedTuple):
    source: str
    target: str  # dotted, absolute
    line: int

    @property
    def where(self) -> str:
        return f"sessionkit/{self.source.replace('.', '/') or '__init__'}.py:{self.line}"


def module_name(path: Path) -> str:
    """The name below `sessionkit`: `stores.redis`, and `""` for the package itself."""
    parts = path.relative_to(CORE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(CORE.rglob("*.py"))}


def is_type_checking(test: ast.expr) -> bool:
    """`if TYPE_CHECKING:` and `if t.TYPE_CHECKING:`."""
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def import_nodes(node: ast.AST) -> cabc.Iterator[ast.Import | ast.ImportFrom]:
    """Every import that runs, those inside functions included."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    children: cabc.Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and is_type_checking(node.test):
        children = node.orelse
    for child in children:
        yield from import_nodes(child)


def arrows(name: str, path: Path) -> cabc.Iterator[Arrow]:
    package = ["sessionkit", *name.split(".")] if name else ["sessionkit"]
    if path.stem != "__init__":
        package.pop()
    for node in import_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Arrow(name, alias.name, node.lineno)
            continue
        base = package[: len(package) + 1 - node.level] if node.level else []
        origin = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            # `from . import errors` means the module, `from .errors import X` the module before it.
            candidate = f"{origin}.{alias.name}"
            is_module = candidate.removeprefix("sessionkit.") in MODULES
            yield Arrow(name, candidate if is_module else origin, node.lineno)


ARROWS = [arrow for name, path in MODULES.items() for arrow in arrows(name, path)]


def inside(arrow: Arrow) -> str | None:
    """The module of the core that the arrow points to."""
    if arrow.target == "sessionkit" or arrow.target.startswith("sessionkit."):
        return arrow.target.removeprefix("sessionkit").removeprefix(".")
    return None


def layer(module: str) -> int | None:
    """A package in the core is one layer, whatever it holds."""
    name = module.partition(".")[0]
    return next((i for i, names in enumerate(LAYERS) if name in names), None)


def is_store(module: str) -> bool:
    return module == "stores" or module.startswith("stores.")


@pytest.mark.parametrize("name", [name for name in MODULES if not is_store(name)])
def test_every_module_has_a_layer(name: str) -> None:
    assert layer(name) is not None, (
        f"{MODULES[name].relative_to(ROOT)} has no layer: add {name!r} to LAYERS in {__file__}, "
        "to the lowest layer that its imports allow"
    )


def test_no_module_has_two_layers() -> None:
    names = [name for layer in LAYERS for name in layer]
    assert len(names) == len(set(names))


def test_no_import_points_upwards() -> None:
    wrong = []
    for arrow in ARROWS:
        target = inside(arrow)
        if target is None or is_store(arrow.source) or is_store(target):
            continue
        low, high = layer(arrow.source), layer(target)
        if low is not None and high is not None and high > low:
            wrong.append(f"{arrow.where} imports {arrow.target}, which is in a higher layer")
    assert not wrong, "\n".join(wrong)


def test_stores_know_only_the_contract() -> None:
    wrong = []
    for arrow in ARROWS:
        target = inside(arrow)
        if target is None or not is_store(arrow.source):
            continue
        helper = target.startswith("stores._")
        opener = arrow.source == "stores" and is_store(target)
        if target not in STORES_MAY_IMPORT and not helper and not opener:
            wrong.append(f"{arrow.where} imports {arrow.target}")
    assert not wrong, "a store imports ..store, ..errors and its client:\n" + "\n".join(wrong)


def test_the_core_knows_no_particular_store() -> None:
    free = {"testing", "command_line", ""}
    wrong = [
        f"{arrow.where} imports {arrow.target}"
        for arrow in ARROWS
        if is_store(inside(arrow) or "") and not is_store(arrow.source) and arrow.source not in free
    ]
    assert not wrong, "\n".join(wrong)


def test_no_import_circle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for arrow in ARROWS:
        target = inside(arrow)
        if target in graph:
            graph[arrow.source].add(target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail("import circle: " + " -> ".join(f"sessionkit.{m}" for m in error.args[1]))


def test_only_declared_libraries_are_imported() -> None:
    """In particular no framework, no integration, and by a store no client but its own."""
    wrong = []
    for arrow in ARROWS:
        library = arrow.target.partition(".")[0]
        if library == "sessionkit" or library in sys.stdlib_module_names:
            continue
        if library not in DEPENDENCIES | CLIENTS.get(arrow.source, set()):
            wrong.append(f"{arrow.where} imports {arrow.target}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("package", "foreign"),
    [
        ("flask_sessionkit", {"django", "django_sessionkit"}),
        ("django_sessionkit", {"flask", "flask_sessionkit"}),
    ],
)
def test_integrations_do_not_know_each_other(package: str, foreign: set[str]) -> None:
    for path in sorted((ROOT / "integrations" / package).rglob("*.py")):
        for node in import_nodes(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
            )
            bad = [name for name in names if name.partition(".")[0] in foreign]
            assert not bad, f"{path.relative_to(ROOT)}:{node.lineno} imports {bad}"
