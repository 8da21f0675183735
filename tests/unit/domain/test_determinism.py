"""What workflows run, now and on replay years later, must not depend on the day or the process.

Read off the source: no clock, no randomness, no order of a set, and no library whose answers may
change (CEL, YAML, holidays, time zones) in any module of ours that a workflow imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("phasegate", "workflows")
FORBIDDEN_MODULES = {
    "asyncio.subprocess",
    "celpy",
    "cel_expr_python",
    "google.protobuf",
    "holidays",
    "httpx2",
    "locale",
    "os",
    "random",
    "ruamel",
    "secrets",
    "socket",
    "sqlalchemy",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "uuid",
    "zoneinfo",
}
FORBIDDEN_CALLS = {"now", "utcnow", "today", "time", "uuid1", "uuid4", "uuid7", "getenv"}
FORBIDDEN_BUILTINS = {"open", "input", "id", "hash"}
WORKFLOW_ONLY = {"now", "time", "uuid4", "uuid7", "random"}
"""Allowed as `workflow.…`: the SDK's deterministic ones."""
ORDER_FREE = {"sorted", "set", "frozenset", "len", "sum", "any", "all", "min", "max", "bool"}
"""What may look at a set: the answer is the same in any order."""


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def source_of(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    if path.with_suffix(".py").exists():
        return path.with_suffix(".py")
    return path / "__init__.py" if (path / "__init__.py").exists() else None


def imports_of(module: str) -> set[str]:
    """Modules a module imports, under TYPE_CHECKING and inside functions too."""
    path = source_of(module)
    assert path
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def reachable() -> set[str]:
    """Every module of ours that a workflow imports, directly or not."""
    todo = {f"workflows.{path.stem}" for path in (ROOT / "workflows").glob("*.py")}
    todo.discard("workflows.__init__")
    seen: set[str] = set()
    while todo:
        module = todo.pop()
        seen.add(module)
        ours = {name for name in imports_of(module) if name.split(".")[0] in PACKAGES}
        todo |= {name for name in ours if source_of(name)} - seen
    return seen


REACHABLE = sorted(reachable())


def test_the_import_graph_is_seen_at_all() -> None:
    assert {"workflows.gate_review", "phasegate.rules", "phasegate.base"} <= set(REACHABLE)
    assert len(REACHABLE) > 20


@pytest.mark.parametrize(
    "module",
    [
        "phasegate.calendars",
        "phasegate.conditions",
        "phasegate.expressions",
        "phasegate.reading",
        "phasegate.yaml_tree",
    ],
)
def test_workflows_never_import_what_reads_yaml_or_evaluates_cel_or_knows_holidays(
    module: str,
) -> None:
    assert source_of(module), "this test names a module that is no more"
    assert module not in REACHABLE
    assert not any(name.startswith("phasegate.lint") for name in REACHABLE)


@pytest.mark.parametrize("module", REACHABLE)
def test_workflow_code_imports_no_clock_and_no_randomness(module: str) -> None:
    taken = {
        name
        for name in imports_of(module)
        for forbidden in FORBIDDEN_MODULES
        if name == forbidden or name.startswith(f"{forbidden}.")
    }
    assert not taken


@pytest.mark.parametrize("module", REACHABLE)
def test_workflow_code_asks_no_clock_and_iterates_over_no_set(module: str) -> None:
    path = source_of(module)
    assert path
    tree = ast.parse(path.read_text())
    found = [*clocks_in(tree), *unordered_in(tree)]
    assert found == [], f"{path.relative_to(ROOT)}: {found}"


def clocks_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in FORBIDDEN_BUILTINS | {"uuid4", "random"}:
            yield f"line {node.lineno}: {called.id}()"
        if isinstance(called, ast.Attribute) and called.attr in FORBIDDEN_CALLS:
            owner = called.value
            sdk = isinstance(owner, ast.Name) and owner.id == "workflow"
            if not (sdk and called.attr in WORKFLOW_ONLY):
                yield f"line {node.lineno}: {ast.unparse(called)}()"


def unordered_in(tree: ast.AST) -> Iterator[str]:
    """Where the order of a set could show: loops, and comprehensions that keep an order."""
    for scope in [tree, *(n for n in ast.walk(tree) if isinstance(n, FUNCTIONS))]:
        nodes = list(inside(scope))
        sets = set_names(nodes)
        free = {
            id(argument)
            for node in nodes
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ORDER_FREE
            for argument in node.args
        }
        for node in nodes:
            looked_at: list[ast.expr] = []
            if isinstance(node, ast.For):
                looked_at = [node.iter]
            elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.DictComp)):
                if id(node) not in free:
                    looked_at = [part.iter for part in node.generators]
            elif isinstance(node, ast.Starred):
                looked_at = [node.value]
            elif isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                joins = isinstance(node.func, ast.Attribute) and node.func.attr == "join"
                if name in ("list", "tuple", "next", "iter", "enumerate") or joins:
                    looked_at = list(node.args)
            for what in looked_at:
                if is_set(what, sets):
                    yield f"line {what.lineno}: the order of {ast.unparse(what)} is not fixed"


def inside(scope: ast.AST) -> Iterator[ast.AST]:
    """What belongs to a module or function itself, and not to a function or class within it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            yield child
            yield from inside(child)


def set_names(nodes: list[ast.AST]) -> set[str]:
    """Names that these statements bind to a set."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Assign) and is_set(node.value, names):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation:
            target = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
            if ast.unparse(node.annotation).startswith(("set[", "frozenset[")):
                names.add(target)
    return names


def is_set(node: ast.expr, names: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Name(id=name):
            return name in names
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor()):
            return is_set(left, names)
    return False


BAD = {
    "a clock": "from datetime import datetime\nx = datetime.now()",
    "a day": "from datetime import date\nx = date.today()",
    "a bare uuid": "from uuid import uuid4\nx = uuid4()",
    "a module's uuid": "import uuid\nx = uuid.uuid4()",
    "the wall clock by another name": "import time\nx = time.time()",
    "an address": "x = id(x)",
    "a loop over a literal": "for x in {1, 2}:\n    print(x)",
    "a list of a set": "x = list({1, 2})",
    "a joined set": "x = ', '.join({'a'})",
    "a starred set": "x = [*{1, 2}]",
    "a variable": "def f():\n    s = set(y)\n    return [x for x in s]",
    "an argument": "def f(s: frozenset[str]):\n    for x in s:\n        print(x)",
    "an annotated variable": "def f():\n    s: set[str] = g()\n    return tuple(s)",
    "a difference": "def f():\n    s = {1}\n    return [x for x in s - {2}]",
}
GOOD = [
    "from temporalio import workflow\nx = [workflow.now(), workflow.uuid4()]",
    "x = sorted({1, 2})",
    "s = {1}\nx = sorted(y for y in s)\nz = any(y for y in s)",
    "s = {1}\nx = {y for y in s}\nif 1 in s:\n    pass",
    "for x in [1, 2]:\n    print(x)",
    "s = {1: 2}\nfor x in s:\n    print(x)",
]


@pytest.mark.parametrize("case", BAD)
def test_this_check_sees_what_it_must_see(case: str) -> None:
    tree = ast.parse(BAD[case])
    assert [*clocks_in(tree), *unordered_in(tree)]


@pytest.mark.parametrize("source", GOOD)
def test_this_check_lets_pass_what_is_in_order(source: str) -> None:
    tree = ast.parse(source)
    assert [*clocks_in(tree), *unordered_in(tree)] == []
