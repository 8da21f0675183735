"""The process in which expressions are judged that may cost much: one JSON line in, one out.

Started by `integrations.judging`, as a file, so that it loads nothing but the expressions.
"""

from __future__ import annotations

import json
import resource
import sys

from phasegate.expressions import evaluate, figure_of

MEMORY = 1024 * 1024 * 1024
"""Bytes of address space: an expression can make a text of gigabytes from one of kilobytes."""


def main() -> None:
    """Judge until the other end closes."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("ready", flush=True)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        expression, variables = asked["expression"], asked["variables"]
        if asked["figure"]:
            answer: object = figure_of(expression, variables)
        else:
            truth = evaluate(expression, variables)
            answer = [truth.met, truth.problem]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
