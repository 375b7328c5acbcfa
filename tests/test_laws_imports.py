"""Laws 4 and 11 and the naming habits, read from the source itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "bitten"
GUESTS = {
    "bitten_feeds": ROOT / "feeds" / "bitten_feeds",
    "bitten_brokers": ROOT / "brokers" / "bitten_brokers",
    "bitten_plugins": ROOT / "plugins" / "bitten_plugins",
}
SOURCES = sorted(path for top in (CORE, *GUESTS.values()) for path in top.rglob("*.py"))
OWN = {"bitten", *GUESTS}

# What a guest may use beside bitten and the standard library: the declared dependencies.
LIBRARIES = {"msgspec", "numpy", "numba", "pandas", "pyarrow", "click", "rich", "sklearn", "zstandard", "zmq"}

# The seam at which the machine's own clocks are read (law 4).
CLOCK_SEAM = {CORE / "clock.py"}
BANNED_CALLS = {
    "time.time", "time.time_ns", "time.monotonic", "time.perf_counter", "time.localtime", "time.gmtime",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now",
    "datetime.date.today", "uuid.uuid1", "uuid.uuid4", "os.urandom", "np.random.seed", "np.random.rand",
    "np.random.randn", "np.random.randint", "np.random.random", "np.random.normal", "np.random.shuffle",
    "np.random.choice", "np.random.uniform",
}  # fmt: skip
BANNED_MODULES = {"random", "secrets"}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, top-level package) of every import in a file, also those inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield node.lineno, (node.module or "").partition(".")[0]


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a chain of attributes, or nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_the_walk_sees_the_tree() -> None:
    assert CORE / "pipeline.py" in SOURCES
    assert len(SOURCES) > 40


def test_the_core_imports_no_plugin() -> None:
    guilty = [
        f"{place(path, line)} imports {name}"
        for path in SOURCES
        if path.is_relative_to(CORE)
        for line, name in imports(path)
        if name in GUESTS
    ]
    assert not guilty


@pytest.mark.parametrize("guest", sorted(GUESTS))
def test_guests_import_only_bitten_their_siblings_and_declared_libraries(guest: str) -> None:
    allowed = {"bitten", guest, *LIBRARIES, *sys.stdlib_module_names}
    guilty = [
        f"{place(path, line)} imports {name}"
        for path in SOURCES
        if path.is_relative_to(GUESTS[guest])
        for line, name in imports(path)
        if name not in allowed
    ]
    assert not guilty


def test_no_part_of_the_core_reaches_a_plugin_by_name() -> None:
    """The core may name a plugin's part in words of the configuration, never by module."""
    guilty = [
        place(path, node.lineno)
        for path in SOURCES
        if path.is_relative_to(CORE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(tuple(GUESTS))
        # a bare hook name such as "bitten_feeds" is the hook, not the package
        if "." in node.value.partition(" ")[0]
    ]
    assert not guilty


def test_no_file_is_named_after_nothing() -> None:
    names = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}
    assert not [path for path in SOURCES if path.name in names]


def test_time_and_chance_are_handed_in() -> None:
    guilty = []
    for path in SOURCES:
        guilty += [f"{place(path, line)} imports {name}" for line, name in imports(path) if name in BANNED_MODULES]
        if path in CLOCK_SEAM:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and dotted(node.func) in BANNED_CALLS:
                guilty.append(f"{place(path, node.lineno)} calls {dotted(node.func)}")
            if isinstance(node, ast.Call) and dotted(node.func).endswith("default_rng") and not node.args:
                guilty.append(f"{place(path, node.lineno)} makes a generator without a seed")
            if isinstance(node, ast.ImportFrom) and node.module in ("time", "uuid"):
                guilty.append(f"{place(path, node.lineno)} imports names from {node.module}, which hides their use")
    assert not guilty


@pytest.mark.parametrize(
    "code",
    [
        "import bitten",
        "import bitten, bitten.cli, bitten.manager; bitten.manager.Manager()",
        "import bitten.cli; bitten.cli.main(['--help'])",
        "import bitten.cli; bitten.cli.main(['--version'])",
    ],
)
def test_starting_up_loads_neither_numba_nor_pandas_nor_pyarrow(code: str) -> None:
    check = f"{code}\nimport sys; print('HEAVY', *(sys.modules.keys() & {{'numba', 'pandas', 'pyarrow', 'numpy'}}))"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1].strip() == "HEAVY", result.stdout + result.stderr
