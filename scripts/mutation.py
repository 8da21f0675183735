#!/usr/bin/env python3
"""The mutation score of modules of the domain: how many small faults their unit tests notice.

    make mutation MODULES="rules seats lint.gates" SAMPLE=50 SEED=1
    make mutation MODULES=assembly TESTS="tests/unit/domain/test_seating.py"

mutmut makes the faults, in a copy of the tree that is gone afterwards (KEEP=… keeps it there). Of
each module a random sample is tried, against the unit tests that import the module, or the folder
it stands in (TESTS adds some), and of them only those that reach the function. Faults that only
change the wording of a text are left out: tests are not there to repeat every sentence. mutmut
makes none in properties, nor outside functions.

Prints what survived, as differences, and a score for each module. Exit codes: 0, or 1 where a score
is below LEAST (a percentage; 0 unless told), or mutmut does not come to an end.
"""

from __future__ import annotations

import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from copy import deepcopy
from difflib import unified_diff
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = (
    "rules seats seating assembly votes criteria clockwork review lifecycle conditions signing "
    "signed_words chain migration migrating migrated policy_diff sunset sunset_rules sunset_days"
)
NEVER = "test_round_machine.py"
"""100,000 steps are too many for each fault."""
SURVIVED, UNREACHED = 0, 33
"""mutmut's exit codes of a fault that no test noticed, and of one that none reached."""

STEADY = """
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutation",
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutation")
"""
"""A test that fails now and then would pass for one that notices; and whatever fails is enough."""

TWICE = """
import os, sys, pytest

pytest.main(sys.argv[1:])
child = os.fork()
if not child:
    os._exit(pytest.main(sys.argv[1:]))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""mutmut tries each fault in a fork of a process that has run the tests before. Clients of a server
do not outlive that: their tests would fail there, and pass for ones that notice."""


def copy_tree(to: Path) -> None:
    """What git knows or could know of the tree, as it is now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    with (to / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(STEADY)


def tests_of(module: str) -> set[str]:
    """The unit tests that import it, or the folder it stands in."""
    folder, _, name = f"phasegate.{module}".rpartition(".")
    of_it = rf".*\b{name}\b" if folder == "phasegate" else ""
    imports = re.compile(rf"from phasegate\.{module} import|from {folder} import {of_it}")
    found = (ROOT / "tests" / "unit").rglob("test_*.py")
    return {
        str(path.relative_to(ROOT))
        for path in found
        if path.name != NEVER and imports.search(path.read_text())
    }


def configure(tree: Path, modules: Iterable[str], tests: Iterable[str]) -> None:
    beside = [path.name for path in tree.iterdir() if path.name not in ("phasegate", "tests")]
    lists = {
        "source_paths": ["phasegate"],
        "only_mutate": [f"phasegate/{module.replace('.', '/')}.py" for module in modules],
        "also_copy": beside,
        "pytest_add_cli_args": ["-n0", "-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": sorted(tests),
    }
    text = "".join(f"{name}=\n" + "".join(f"    {v}\n" for v in vs) for name, vs in lists.items())
    (tree / "setup.cfg").write_text(f"[mutmut]\n{text}")


def mutmut(tree: Path, *names: str) -> subprocess.CompletedProcess[str]:
    command = ["mutmut", "run", "--max-children", "1", *names]
    return subprocess.run(command, cwd=tree, check=False, capture_output=True, text=True)


def pytest(tree: Path, *command: str, fault: str = "") -> int:
    """Its exit code, with this fault in force or none."""
    ran = subprocess.run(
        [sys.executable, *command, "-x", "-q", "-n0", "-p", "no:cacheprovider"],
        cwd=tree / "mutants",
        env={**os.environ, "MUTANT_UNDER_TEST": fault or "none"},
        check=False,
        capture_output=True,
    )
    return ran.returncode


def tried(tree: Path, tests: Iterable[str], names: list[str]) -> dict[str, int] | None:
    """What these tests say of each fault in a process of its own; None if a fork will do."""
    if pytest(tree, "-c", TWICE, *tests) == 0:
        return None
    if pytest(tree, "-m", "pytest", *tests) != 0:
        sys.exit(f"without a fault these do not pass: {' '.join(tests)}")
    print("these tests need a process of their own for each fault: that takes long", flush=True)
    return {name: pytest(tree, "-m", "pytest", *tests, fault=name) for name in names}


class Faults:
    """The faults that mutmut has made in one module."""

    def __init__(self, tree: Path, module: str) -> None:
        path = tree.joinpath("mutants", "phasegate", *module.split(".")).with_suffix(".py")
        self._meta = path.with_suffix(".py.meta")
        self._functions = {
            node.name: node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    def codes(self) -> dict[str, int | None]:
        found: dict[str, int | None] = json.loads(self._meta.read_text())["exit_code_by_key"]
        return found

    def _pair(self, fault: str) -> tuple[ast.AST, ast.AST]:
        name = fault.rpartition(".")[2]
        whole = name.rpartition("__mutmut_")[0] + "__mutmut_orig"
        return self._functions[whole], self._functions[name]

    def is_wording(self, fault: str) -> bool:
        """Whether nothing but a sentence differs."""
        before, after = (_without_texts(node) for node in self._pair(fault))
        return before == after

    def difference(self, fault: str) -> str:
        before, after = (ast.unparse(node).splitlines()[1:] for node in self._pair(fault))
        return "\n".join(list(unified_diff(before, after, n=1, lineterm=""))[2:])


def _without_texts(function: ast.AST) -> str:
    """What it does, whatever its sentences say. A word alone may be a state, a code or a key."""
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    function = deepcopy(function)
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            node.value = ""
    return "".join(ast.dump(node) for node in [function.args, *function.body])


def measure(tree: Path, modules: list[str], tests: set[str], sample: int, seed: str) -> list[float]:
    configure(tree, modules, tests)
    listing = mutmut(tree, "none.of.them")  # the faults are made before it says so
    faults = {module: Faults(tree, module) for module in modules}
    chosen = {}
    for module, made in faults.items():
        real = sorted(name for name in made.codes() if not made.is_wording(name))
        chance = random.Random(f"{seed} {module}")  # noqa: S311 - a sample, no secret
        chosen[module] = sorted(chance.sample(real, min(sample, len(real))))
        print(f"{module}: {len(chosen[module])} of {len(real)} faults", flush=True)
    if not any(chosen.values()):
        return []
    every = [name for names in chosen.values() for name in names]
    alone = tried(tree, sorted(tests), every)
    ran = mutmut(tree, *every) if alone is None else listing
    scores = []
    for module, names in chosen.items():
        codes: Mapping[str, int | None] = faults[module].codes() if alone is None else alone
        if any(codes[name] is None for name in names):
            sys.exit(f"{listing.stdout[-3000:]}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}")
        left = [name for name in names if codes[name] in (SURVIVED, UNREACHED)]
        for name in left:
            reached = "" if codes[name] == SURVIVED else " (no test reaches it)"
            print(f"\n{name}{reached}\n{faults[module].difference(name)}")
        if names:
            scores.append(1 - len(left) / len(names))
            print(f"\n{module}: {scores[-1]:.0%}, {len(left)} of {len(names)} survived", flush=True)
    return scores


def main() -> None:
    told = os.environ.get
    modules = (told("MODULES") or MODULES).split()
    tests = set((told("TESTS") or "").split()).union(*map(tests_of, modules))
    if not tests:
        sys.exit(f"no unit test imports {' '.join(modules)}: name some, as TESTS=tests/unit/domain")
    sample, seed = int(told("SAMPLE") or 40), told("SEED") or "1"
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(told("KEEP") or scratch).absolute()
        copy_tree(tree)
        scores = measure(tree, modules, tests, sample, seed)
    sys.exit(min(scores, default=1) * 100 < float(told("LEAST") or 0))


if __name__ == "__main__":
    main()
