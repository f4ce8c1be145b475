"""The rules of the house that no tool checks, and that the tools which check the rest can fail."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("parley", "utils", "worlds", "bots", "orchestrator", "analytics")
DATA = ("personas", "prompts", "scenarios")
GROUPS = ("policies", "worlds", "minds", "rules", "memories", "metrics")
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

# Spelled so that neither finds itself; the bad samples below are glued together.
ADDRESSES = re.compile(
    r"\bpypi\.org|pythonhosted\.org|\bregistry\.npmjs|https?://\S+/simple\b"
    r"|--(?:extra-)?index-url[ =]|--find-links[ =]|\bindex-url *="
)
MACHINE_PATHS = re.compile(r"(?<![\w.}])/(?:home|root|Users|work|opt/wheels)/\w")


@cache
def house_files() -> tuple[Path, ...]:
    """List the files that are tracked, or would be with the next commit."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout
    names = sorted(set(listed.split("\0")) - {""})
    return tuple(ROOT / name for name in names if (ROOT / name).is_file())


def run(*command: str, cwd: Path = ROOT, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment; what an outer make or pytest set does not reach it."""
    foreign = ("MAKE", "MFLAGS", "GIT_", "PYTEST_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["COLUMNS"] = "200"
    return subprocess.run(
        command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=False
    )


def named(paths: Iterable[Path]) -> str:
    """Spell paths out, one a line, so that a failing test shows them all."""
    return "\n".join(path.relative_to(ROOT).as_posix() for path in paths)


@cache
def project() -> dict[str, Any]:
    """Read pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


# Size


def too_long(text: str) -> bool:
    """Ask whether a file is over the limit and does not say why near its top."""
    lines = text.splitlines()
    reason = any(f"over {MAX_FILE_LINES} lines because" in line for line in lines[:30])
    return len(lines) > MAX_FILE_LINES and not reason


def long_functions(source: str) -> Iterator[str]:
    """Name the functions over the limit, docstring aside, that do not say why."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        last = node.end_lineno or node.lineno
        doc = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
        doc_lines = (doc.end_lineno or doc.lineno) - doc.lineno + 1 if doc else 0
        whole = "\n".join(lines[node.lineno - 1 : last])
        if (
            last - node.lineno + 1 - doc_lines > MAX_FUNCTION_LINES
            and f"over {MAX_FUNCTION_LINES} lines because" not in whole
        ):
            yield node.name


def test_every_file_is_short_or_says_why_not() -> None:
    code = [path for path in house_files() if path.suffix in {".py", ".lua", ".toml"}]
    assert ROOT / "utils" / "protocol.py" in code
    assert named(path for path in code if too_long(path.read_text())) == ""


def test_every_function_is_short_or_says_why_not() -> None:
    code = [path for path in house_files() if path.suffix == ".py"]
    assert named(path / name for path in code for name in long_functions(path.read_text())) == ""


def test_a_long_file_is_found_unless_it_gives_a_reason() -> None:
    assert not too_long("x = 1\n" * 300)
    assert too_long("x = 1\n" * 301)
    assert too_long("x = 1\n" * 301 + "# over 300 lines because nobody looks down here\n")
    assert not too_long("# over 300 lines because one union is one page\n" + "x = 1\n" * 301)


def test_a_long_function_is_found_unless_it_gives_a_reason() -> None:
    doc = '    """Do.\n' + "\n" * 50 + '    """\n'
    assert list(long_functions("def f():\n" + doc + "    x = 1\n" * 39)) == []
    assert list(long_functions("def f():\n" + doc + "    x = 1\n" * 40)) == ["f"]
    why = "    # over 40 lines because it is one table\n"
    assert list(long_functions("def f():\n" + why + "    x = 1\n" * 40)) == []


# What is tracked


def leaks(text: str) -> list[str]:
    """List registry addresses and paths of somebody's machine."""
    return [*ADDRESSES.findall(text), *MACHINE_PATHS.findall(text)]


def test_no_tracked_file_names_a_registry_or_somebodys_machine() -> None:
    texts = {path: path.read_bytes().decode(errors="ignore") for path in house_files()}
    assert named(path / repr(leak) for path, text in texts.items() for leak in leaks(text)) == ""


@pytest.mark.parametrize(
    "bad",
    [
        "https://files.python" + "hosted.org/packages/x.whl",
        "https://mirror.example/" + "simple/click/",
        "pip install --index" + "-url https://mirror.example",
        "--find" + "-links wheels",
        "cd /ho" + "me/ada/parley",
        '"/Us' + 'ers/ada"',
    ],
)
def test_a_registry_address_or_a_machine_path_is_found(bad: str) -> None:
    assert leaks(f"fine\n{bad}\n")
    assert not leaks("uv pip compile --no-emit-index-url; https://example.org/work/x; ./home/x")


def test_the_tests_are_no_package() -> None:
    tests = [path for path in house_files() if ROOT / "tests" in path.parents]
    assert Path(__file__) in tests
    assert named(path for path in tests if path.name == "__init__.py") == ""


# The lock file


def locked(text: str) -> dict[str, tuple[Requirement, int]]:
    """Read a lock file.

    Returns:
        Of each canonical name, the pinned requirement and the number of its hashes.

    Raises:
        ValueError: A line is neither a pin nor a hash: an index, a path, an address.
    """
    pins: dict[str, tuple[Requirement, int]] = {}
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    for entry in "\n".join(lines).replace("\\\n", " ").splitlines():
        spec, *hashes = entry.split(" --hash=sha256:")
        requirement = Requirement(spec)
        if requirement.url or [one.operator for one in requirement.specifier] != ["=="]:
            raise ValueError(f"not a pin: {entry}")
        if not all(re.fullmatch(r"[0-9a-f]{64}", one.strip()) for one in hashes):
            raise ValueError(f"not a hash: {entry}")
        pins[canonicalize_name(requirement.name)] = (requirement, len(hashes))
    return pins


def test_the_lock_pins_every_dependency_with_hashes_and_names_no_index() -> None:
    pins = locked((ROOT / "requirements.lock").read_text())
    wanted = [*project()["project"]["dependencies"], *project()["dependency-groups"]["dev"]]
    for requirement in map(Requirement, wanted):
        pin, _ = pins[canonicalize_name(requirement.name)]
        (version,) = [one.version for one in pin.specifier]
        assert requirement.specifier.contains(version), f"{requirement}: run make lock"
    assert [name for name, (_, hashes) in pins.items() if hashes == 0] == []


@pytest.mark.parametrize(
    "bad",
    ["click>=8", "-e .", "--index" + "-url x", "click @ file:///x", "click==8 --hash=sha256:0"],
)
def test_a_lock_line_that_is_no_pin_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        locked(f"rich==15.0.0 --hash=sha256:{'0' * 64}\n{bad}\n")


# The tools are run, and can fail


@pytest.mark.parametrize("tool", ["ruff format --check", "ruff check", "mypy", "lint-imports"])
def test_make_check_runs_every_tool(tool: str) -> None:
    told = run("make", "--dry-run", "check").stdout
    assert re.search(rf"/{tool}( --no-logo)?$", told, re.MULTILINE)


def test_ci_checks_and_runs_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert re.findall(r"^make .* (\w+)$", script, re.MULTILINE) == ["check", "test"]
    assert "make test" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("bots/prompt.py", "import orchestrator.engine", "The import graph is the process graph"),
        ("utils/seeds.py", "import worlds.salon", "The import graph is the process graph"),
        ("orchestrator/engine.py", "import time", "Rules are pure"),
        ("bots/memory/window.py", "import utils.streams", "Rules are pure"),
        ("analytics/metrics/drift.py", "import analytics.folder", "Rules are pure"),
        ("analytics/__init__.py", "import redis", "One module speaks to Redis, one starts it"),
        ("bots/minds/rule.py", "import ollama", "One module speaks to Ollama"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(
    module: str, line: str, contract: str, tmp_path: Path
) -> None:
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}\n")
    told = run("lint-imports", "--no-cache", cwd=tmp_path)
    assert told.returncode == 1
    assert re.search(rf"^{contract} BROKEN", told.stdout, re.MULTILINE), told.stdout


@pytest.mark.parametrize(
    "line",
    [
        "import random",
        "import secrets",
        "import time\n\nT = time.time()",
        "from time import monotonic",
        "import datetime\n\nT = datetime.datetime.now(tz=datetime.UTC)",
        "import uuid\n\nT = uuid.uuid4()",
        "import os\n\nT = os.urandom(8)",
    ],
)
def test_clocks_and_dice_are_banned_everywhere_but_in_the_clock(line: str) -> None:
    def banned(name: str) -> bool:
        told = run("ruff", "check", "--stdin-filename", name, "-", stdin=f"{line}\n")
        return "TID251" in told.stdout

    assert banned("bots/agent.py")
    assert banned("utils/seeds.py")
    assert not banned("utils/clock.py")


# Packaging


def test_the_wheel_holds_the_packages_and_the_data_and_nothing_else(tmp_path: Path) -> None:
    told = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert told.returncode == 0, told.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tracked = {path.relative_to(ROOT).as_posix() for path in house_files()}
    code = {name for name in tracked if name.split("/")[0] in PACKAGES}
    data = {name for name in tracked if name.split("/")[0] in DATA}
    assert {name.split("/")[0] for name in data} == set(DATA)
    assert held == code | {f"parley/data/{name}" for name in data}


@pytest.mark.parametrize("group", GROUPS)
def test_every_plugin_that_is_built_in_comes_in_by_its_door(group: str) -> None:
    declared = project()["project"]["entry-points"][f"parley.{group}"]
    found = {each.name: each for each in entry_points(group=f"parley.{group}")}
    assert declared
    for name in declared:
        assert found[name].load() is not None
