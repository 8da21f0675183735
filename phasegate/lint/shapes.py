"""The shape of a product, told to CEL: so that a misspelt field is found before a gate opens.

A product reaches its expressions as plain maps, in which any name may be asked for. For lint it is
declared as a message with the fields of the Product model, and CEL's own checker says where an
expression asks for another.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin

from cel_expr_python import cel  # type: ignore[import-untyped]  # has stubs, lacks py.typed
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.struct_pb2 import DESCRIPTOR as STRUCT
from pydantic import BaseModel

from phasegate.expressions import arguments, compile_error, never_true, overload
from phasegate.lint.findings import or_meant
from phasegate.product import Product

_NO_FIELD = re.compile(
    r"ERROR: <input>:(\d+):(\d+): undefined field '([^']*)' not found in struct 'phasegate\.(\w+)'"
)
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_NO_FIELDS = re.compile(r"expression of type '(.*)' cannot be the operand of a select operation")
_APPLIED = re.compile(r"applied to '\((.*)\)'")
_KNOWN = {"string", "int", "double", "bool", "map"}
_PLAIN = {str: FieldDescriptorProto.TYPE_STRING, int: FieldDescriptorProto.TYPE_INT64}


@lru_cache(maxsize=1000)
def expression_problem(expr: str, *variables: str) -> str | None:
    """Why an expression of a policy cannot be used, or None; `product` must have what it names."""
    return compile_error(expr, *variables) or _unknown_field(expr, variables)


def _wrong_type(text: str) -> str | None:
    """The first use of text, a number or a list as something else."""
    for found in _ERROR.finditer(text):
        line, column, message = found.groups()
        place = f"(line {line}, column {column})"
        if select := _NO_FIELDS.match(message):
            kind = {"string": "text", "int": "a number"}.get(select[1])
            return f"asks for a field of {kind or 'a list, which has exists, all and [0]'} {place}"
        applied = _APPLIED.search(message)
        types = set(arguments(applied[1])) if applied else set()
        # Numbers of any kind compare; a message is a map to those who ask.
        if types <= _KNOWN and not types <= {"int", "double"} and "phasegate." not in message:
            return f"{overload(message)} {place}"
    return None


def _unknown_field(expr: str, variables: tuple[str, ...]) -> str | None:
    """The first field that the product does not have, or has as something else.

    What else the checker says of the messages does not hold for maps, and is not asked here; of
    text, numbers and lists in them it does.
    """
    pool, models = _shapes()
    types = dict.fromkeys(variables, cel.Type.DYN) | {"product": cel.Type("phasegate.Product")}
    try:
        result = cel.NewEnv(descriptor_pool=pool, variables=types).compile(expr).return_type()
        if result not in (cel.Type.BOOL, cel.Type.DYN):
            return never_true(result)
    except RuntimeError as error:
        if found := _NO_FIELD.search(str(error)):
            line, column, field, owner = found.groups()
            hint = or_meant(field, models[owner].model_fields)
            place = f"(line {line}, column {column})"
            if owner != Product.__name__:
                return f"{owner} of a product has no {field} {place}{hint}"
            if hint.startswith("; known"):
                hint += f"; or product.figures.{field}, for a figure"
            return f"a product has no {field} {place}{hint}"
        return _wrong_type(str(error))
    return None


@lru_cache(maxsize=1)
def _shapes() -> tuple[DescriptorPool, dict[str, type[BaseModel]]]:
    """Product and the models within it as messages, and these models by name."""
    file = FileDescriptorProto(
        name="product.proto", package="phasegate", syntax="proto3", dependency=[STRUCT.name]
    )
    models: dict[str, type[BaseModel]] = {}
    todo: list[type[BaseModel]] = [Product]
    while todo:
        model = todo.pop()
        models[model.__name__] = model
        message = file.message_type.add(name=model.__name__)
        for number, (name, field) in enumerate(model.model_fields.items(), start=1):
            below, label = _held_by(field.annotation)
            message.field.add(
                name=name,
                number=number,
                label=label,
                **_kind_of(below),
            )
            if issubclass(below, BaseModel) and below.__name__ not in models:
                todo.append(below)
    pool = DescriptorPool()
    pool.AddSerializedFile(STRUCT.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool, models


def _held_by(annotation: Any) -> tuple[type, FieldDescriptorProto.Label.ValueType]:
    """What a field holds, and whether it holds many. `object`: anything may be asked of it."""
    label, inner = FieldDescriptorProto.LABEL_OPTIONAL, annotation
    if get_origin(annotation) is tuple:
        label, inner = FieldDescriptorProto.LABEL_REPEATED, get_args(annotation)[0]
    if get_origin(inner) is Annotated:
        inner = get_args(inner)[0]
    if isinstance(inner, type) and issubclass(inner, (BaseModel, *_PLAIN)):
        return inner, label
    return (dict if get_origin(inner) is dict else object), label


def _kind_of(held: type) -> dict[str, Any]:
    if issubclass(held, BaseModel):
        name = f".phasegate.{held.__name__}"
    elif held in _PLAIN:
        return {"type": _PLAIN[held]}
    else:
        name = ".google.protobuf.Struct" if held is dict else ".google.protobuf.Value"
    return {"type": FieldDescriptorProto.TYPE_MESSAGE, "type_name": name}
