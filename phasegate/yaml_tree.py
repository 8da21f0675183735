"""YAML text as plain data that remembers where everything was written.

The text is only composed (syntax, no objects), so that no tag can construct anything, and every
key and value keeps its line and column. Anchors, tags and merge keys are refused: a policy is
reviewed line by line, and what cannot expand cannot explode.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from phasegate.problems import DocPath, DocumentError, Problem

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_PARTS = 100_000
"""Keys and values of one document: to read them takes ten seconds."""
_CORE = "tag:yaml.org,2002:"
# Terminal escapes in a title would let a document forge what an approver sees; what turns the
# direction of writing (Unicode TR 36, 2.10) would let it be read as something else in a review.
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SPEECH = {
    "mapping values are not allowed here": "a ':' where none can be; quote text that contains ': '",
    "found character '\\t' that cannot start any token": "a tab; indent with spaces",
    "but found another document": "more than one document; keep one and no '---'",
}


class _Plain(Composer):  # type: ignore[misc, unused-ignore]
    """Composes YAML 1.2 without anchors; depth is bounded by the loader's max_depth."""

    parts = 0

    def compose_document(self) -> Any:
        start = self.parser.peek_event()
        if start.version not in (None, (1, 2)):
            raise ComposerError(
                None, None, "documents are YAML 1.2; leave %YAML out", start.start_mark
            )
        return super().compose_document()

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if getattr(event, "anchor", None) is not None:
            raise ComposerError(
                None, None, "anchors and aliases are refused; write the value out", event.start_mark
            )
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise ComposerError(
                None, None, f"more than {MAX_PARTS} keys and values; split it", event.start_mark
            )
        return super().compose_node(parent, index)


@dataclass
class Tree:
    """Plain data (mappings, lists, text, numbers, booleans, None) with the place of each part."""

    source: str
    data: Any = None
    values: dict[DocPath, tuple[int, int]] = field(default_factory=dict)
    keys: dict[DocPath, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def locate(self, path: DocPath) -> tuple[int, int]:
        """Line and column of the value at a path, or of the nearest parent that is there."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def locate_key(self, path: DocPath) -> tuple[int, int]:
        """Line and column of the key that the path ends with."""
        return self.keys.get(path) or self.locate(path)

    def report(self, place: tuple[int, int], path: DocPath, message: str) -> None:
        self.problems.append(Problem(self.source, *place, path, message))


def load(text: str | bytes, source: str) -> Tree:
    """Read YAML. Raises DocumentError where the text as such cannot be read.

    What is wrong inside readable text (duplicate keys, tags) is left in `problems`, to be told
    together with what the model finds.
    """
    tree = Tree(source)
    plain = _decoded(text, source)
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _Plain
    yaml.max_depth = MAX_DEPTH
    try:
        node = yaml.compose(plain)
    except ReaderError as error:
        raise _fatal(source, _place(plain, error.position), f"unreadable: {error.reason}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _fatal(source, place, _spoken(error)) from None
    except (YAMLError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        # The parser answers some garbage (an escape beyond Unicode, a broken directive) with
        # whatever Python raised inside it.
        raise _fatal(source, (1, 1), f"not well-formed YAML: {error}") from None
    if node is None:
        raise _fatal(source, (1, 1), "the file is empty; it needs a mapping (field: value lines)")
    tree.data = _value(tree, yaml, node, ())
    return tree


def _fatal(source: str, place: tuple[int, int], message: str) -> DocumentError:
    return DocumentError((Problem(source, *place, (), message),))


def _decoded(text: str | bytes, source: str) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise _fatal(source, (1, 1), f"{size} bytes are too many; {MAX_BYTES} (1 MiB) at most")
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8", "replace")
        message = f"byte 0x{text[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise _fatal(source, _place(before, len(before)), message) from None


def _place(text: str, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _spoken(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "cannot be read")
    if "maximum depth" in problem:
        return f"nested more than {MAX_DEPTH} levels deep"
    if problem.startswith(("documents are", "anchors and", "more than")):
        return problem
    said = _SPEECH.get(problem, problem)
    context = f" ({error.context})" if error.context and said == problem else ""
    return f"not well-formed YAML: {said}{context}"


def _value(tree: Tree, yaml: YAML, node: Any, path: DocPath) -> Any:
    place = (node.start_mark.line + 1, node.start_mark.column + 1)
    tree.values.setdefault(path, place)
    tag = str(node.tag)
    if isinstance(node, MappingNode) and tag == _CORE + "map":
        return _mapping(tree, yaml, node, path)
    if isinstance(node, SequenceNode) and tag == _CORE + "seq":
        return [_value(tree, yaml, item, (*path, i)) for i, item in enumerate(node.value)]
    kinds = ("str", "timestamp", "int", "float", "bool", "null", "merge", "value")
    if not isinstance(node, ScalarNode) or tag not in {_CORE + kind for kind in kinds}:
        tree.report(place, path, f"tag {tag.replace(_CORE, '!!')} is refused; write plain values")
        return None
    if tag in (_CORE + "int", _CORE + "float", _CORE + "bool", _CORE + "null"):
        try:
            return yaml.constructor.construct_object(node, deep=True)
        except (ValueError, YAMLError, LookupError):
            tree.report(place, path, f"{node.value[:40]!r} is no {tag.removeprefix(_CORE)}")
            return None
    # Dates stay text: a field for text takes `2019-06-04` as it stands, and Due reads it.
    return _text(tree, node.value, place, path)


def _mapping(tree: Tree, yaml: YAML, node: Any, path: DocPath) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, ScalarNode):
            tree.report(place, path, "a list or mapping cannot be a field name")
            continue
        if str(key_node.tag) == _CORE + "merge":
            tree.report(place, path, "merge keys (<<) are refused; write the fields out")
            continue
        # The text as written: a person called 007 or a group called no keeps that name.
        key = _text(tree, key_node.value, place, path)
        here = (*path, key)
        if key in data:
            line, column = tree.keys[here]
            tree.report(
                place, here, f"given twice, first at line {line}, column {column}; keep one of them"
            )
            continue
        tree.keys[here] = place
        if isinstance(value_node, ScalarNode) and not value_node.value and not value_node.style:
            tree.values[here] = place  # nothing is written there: the key is what can be pointed at
        data[key] = _value(tree, yaml, value_node, here)
    return data


def _text(tree: Tree, text: str, place: tuple[int, int], path: DocPath) -> str:
    if bad := _FORBIDDEN.search(text):
        tree.report(place, path, f"contains the control character U+{ord(bad[0]):04X}; remove it")
        return _FORBIDDEN.sub("", text)
    return text
