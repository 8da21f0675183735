"""The shape of a product, told to CEL: so that a misspelt field is found before a gate opens.

A product reaches its expressions as plain maps, in which any name may be asked for. For lint it is
declared as a message with the fields of the Product model, and CEL's own checker says where an
expression asks for another.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, get_args, get_origin

from cel_expr_python import cel  # type: ignore[import-untyped]  # has stubs, lacks py.typed
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.struct_pb2 import DESCRIPTOR as STRUCT
from pydantic import BaseModel

from phasegate.expressions import compile_error
from phasegate.lint.findings import or_meant
from phasegate.product import Product

_NO_FIELD = re.compile(
    r"ERROR: <input>:(\d+):(\d+): undefined field '([^']*)' not found in struct 'phasegate\.(\w+)'"
)


def expression_problem(expr: str, *variables: str) -> str | None:
    """Why an expression of a policy cannot be used, or None; `product` must have what it names."""
    return compile_error(expr, *variables) or _unknown_field(expr, variables)


def _unknown_field(expr: str, variables: tuple[str, ...]) -> str | None:
    """The first field that the product does not have.

    What else the checker says of declared types does not hold for maps, and is not asked here.
    """
    pool, models = _shapes()
    types = dict.fromkeys(variables, cel.Type.DYN) | {"product": cel.Type("phasegate.Product")}
    try:
        cel.NewEnv(descriptor_pool=pool, variables=types).compile(expr)
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
            below, label = _model_in(field.annotation)
            message.field.add(
                name=name,
                number=number,
                type=FieldDescriptorProto.TYPE_MESSAGE,
                type_name=f".phasegate.{below.__name__}" if below else ".google.protobuf.Value",
                label=label,
            )
            todo += [below] if below and below.__name__ not in models else []
    pool = DescriptorPool()
    pool.AddSerializedFile(STRUCT.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool, models


def _model_in(
    annotation: Any,
) -> tuple[type[BaseModel] | None, FieldDescriptorProto.Label.ValueType]:
    """The model that a field holds, and whether it holds many. None: anything may be asked."""
    label, inner = FieldDescriptorProto.LABEL_OPTIONAL, annotation
    if get_origin(annotation) is tuple:
        label, inner = FieldDescriptorProto.LABEL_REPEATED, get_args(annotation)[0]
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return inner, label
    return None, FieldDescriptorProto.LABEL_OPTIONAL
