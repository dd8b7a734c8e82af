"""Who may import whom, and what the first import costs."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("interp", "controls", "restyle")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# Within restyle: the rooms from the ground up. What lies in a room may import that room and those below it, so that rooms
# never go round in a circle; nor do modules (see below).
LAYERS = (
    ("errors",),
    ("types", "progress", "progress_bar", "versions", "renames", "memory", "unforeseen"),
    ("files",),
    ("engines",),
    ("recipe",),
    ("recipe_fields",),
    ("footage",),
    ("weights",),
    ("painters",),
    ("registry",),
    ("compositing",),
    ("render",),
    ("planning",),
    ("quality",),
    ("job",),
    ("retiming",),
    ("batch",),
    ("__init__",),
    ("studio",),
    ("cli",),
    ("__main__",),
)
LAYER = {name: number for number, layer in enumerate(LAYERS) for name in layer}
OUTSIDE = {"tests", "samples", "benchmarks", "clips"}


def module_of(path: Path) -> list[str]:
    """``restyle/footage/video.py`` -> ``["restyle", "footage", "video"]``."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every import, in function bodies too and under ``TYPE_CHECKING``, as (line, absolute dotted name)."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    here = list(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = [] if not node.level else here[: len(here) - node.level + 1]
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{start}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def layer_of(module: list[str], where: str) -> int:
    name = module[1] if len(module) > 1 else "__init__"
    if name not in LAYER:
        pytest.fail(f"{where}: say in which layer restyle.{name} lies (tests/test_imports.py)")
    return LAYER[name]


def is_module(name: str) -> bool:
    return (ROOT / "restyle" / f"{name}.py").exists() or (ROOT / "restyle" / name).is_dir()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    module = module_of(path)
    wrong = []
    for line, name in imports(path):
        target = name.split(".")
        where = f"{path.relative_to(ROOT)}:{line}"
        if target[0] in OUTSIDE:
            wrong.append(f"{where} imports {name}, which is no part of the product")
        elif target[0] in PACKAGES and PACKAGES.index(target[0]) > PACKAGES.index(module[0]):
            wrong.append(f"{where}: {module[0]} may not import {target[0]}")
        elif target[0] == "restyle" == module[0]:
            if len(target) > 1 and not is_module(target[1]):
                target = ["restyle", "__init__"]  # a public name
            # `restyle.__version__` and the like may be asked for inside a function of anything above the public API.
            if layer_of(target, where) > layer_of(module, where):
                wrong.append(f"{where}: restyle.{module[1]} may not import {name}")
    assert not wrong, "\n".join(wrong)


def test_the_walk_sees_imports_in_function_bodies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / "interp" / "x.py"
    path.parent.mkdir()
    path.write_text("def f():\n    from restyle import types\n    import_module('controls.a')\nfrom . import warp\n")
    assert sorted(imports(path)) == [(2, "restyle.types"), (3, "controls.a"), (4, "interp.warp")]


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other round in a circle (Tarjan's strongly connected components)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        path.append(module)
        for other in sorted(arrows.get(module, ())):
            if other not in number:
                visit(other)
            if other in path:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == number[module]:
            group = path[path.index(module) :]
            del path[path.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(arrows):
        if module not in number:
            visit(module)
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also by imports in function bodies; those for type checkers alone do not count."""
    names = {".".join(_dotted(path)): path for path in SOURCES}
    arrows: dict[str, set[str]] = {}
    for name, path in names.items():
        typed = _lines_for_type_checkers(path)
        reached = {target for line, target in imports(path) if line not in typed}
        arrows[name] = {
            module
            for target in reached
            for module in (target, target.rpartition(".")[0])
            if module in names and module != name
        }
        # ``from package import module`` reaches the module, not what else the package holds
        arrows[name] -= {target.rpartition(".")[0] for target in reached if target in names}
    assert circles(arrows) == []


def test_circles_are_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def _dotted(path: Path) -> list[str]:
    """The name by which a module is imported: a package's is its folder's."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return list(parts[:-1] if parts[-1] == "__init__" else parts)


def _lines_for_type_checkers(path: Path) -> set[int]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    return {line for node in tests for line in range(node.lineno, (node.body[-1].end_lineno or node.lineno) + 1)}


HEAVY = ("torch", "onnx", "onnxruntime", "cv2", "av", "scenedetect", "PIL", "OpenImageIO", "typer", "yaml")


def seconds(*command: str) -> tuple[float, str]:
    """The best of three, and what was printed: a busy machine only ever adds."""
    best, said = float("inf"), ""
    for _ in range(3):
        began = time.perf_counter()
        said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        best = min(best, time.perf_counter() - began)
    return best, said


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_loads_nothing_heavy(package: str) -> None:
    code = f"import sys, {package}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    took, loaded = seconds(sys.executable, "-c", code)
    assert loaded.split() == []
    assert took < 1


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = "import sys, restyle.cli; restyle.cli.main(['--help']); "
    names = [name for name in (*HEAVY, "numpy", "pydantic") if name != "typer"]
    code += f"print('loaded:', *(name for name in {names!r} if name in sys.modules))"
    took, said = seconds(sys.executable, "-c", code)
    assert said.splitlines()[-1].split() == ["loaded:"]
    assert took < 1.5


def test_the_public_api_is_what_all_says() -> None:
    code = (
        "import restyle, types; "
        "missing = [n for n in restyle.__all__ if not hasattr(restyle, n)]; "
        "hidden = lambda n, v: n.startswith('_') or (isinstance(v, types.ModuleType) and not callable(v)); "
        "names = {n for n, v in vars(restyle).items() if not hidden(n, v)}; "
        "print(sorted(names ^ (set(restyle.__all__) - {'__version__'})), missing, "
        "restyle.__all__ == sorted(restyle.__all__), set(restyle.__all__) <= set(dir(restyle)))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert said.strip() == "[] [] True True"


def test_the_public_api_is_the_same_for_type_checkers() -> None:
    tree = ast.parse((ROOT / "restyle" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "typing.TYPE_CHECKING"
    ]
    typed = {}
    for statement in block.body:
        assert isinstance(statement, ast.ImportFrom)
        for alias in statement.names:
            assert alias.asname == alias.name, (
                f"{alias.name} is not public without: import {alias.name} as {alias.name}"
            )
            typed[alias.name] = statement.module
    assert typed == importlib.import_module("restyle")._HOMES


def test_the_public_api_is_loaded_as_it_is_asked_for() -> None:
    """The command line has to listen to Ctrl-C before anything that takes time is imported."""
    code = "import sys, restyle.cli; print(*(name for name in ('numpy', 'pydantic', 'typer') if name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert said.split() == []
    with pytest.raises(AttributeError, match="no attribute 'resyle'"):
        importlib.import_module("restyle").resyle  # noqa: B018


def test_everything_that_a_module_offers_exists() -> None:
    """Each ``__all__`` names what is there; a typo would only show in a star import."""
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        offered = [
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == ["__all__"]
        ]
        if not offered:
            continue
        names = ast.literal_eval(offered[0])
        made: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                made.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                made |= {t.id for t in targets if isinstance(t, ast.Name)}
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                made |= {alias.asname or alias.name for alias in node.names}
        assert set(names) <= made, f"{path.relative_to(ROOT)} offers {sorted(set(names) - made)}"
