"""The definitions of a product follow each other, each under its digest."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from phasegate.audit.context import Place
from phasegate.audit.past import DEFINES
from phasegate.audit.telling import Telling
from phasegate.base import canonical
from phasegate.product import Product


def check_definitions(place: Place, product: Telling) -> None:
    """Each change names the definition before it, and is what its digest was taken of."""
    known: Mapping[str, Any] | None = None
    erased = False
    for said in product.of(*DEFINES):
        if said.shortened:
            known = None
            continue
        erased = erased or said.erased
        found = said.data.get("product")
        if said.type == "product.migrated" and not isinstance(found, dict):
            continue  # it needs no other definition
        if said.type == "product.handed-over" and known is not None:
            handed = {**known, "owner": said.text("to")}
            if isinstance(found, dict) and not erased and not _same(found, handed):
                place.differ(said, "more of its definition is another than its owner")
            found = found if isinstance(found, dict) else handed  # early releases did not say it
        if not isinstance(found, dict):
            known = None
            continue
        before, after = said.text("before"), said.text("digest")
        if erased:
            place.unchecked(said.seq, "words of the definition were erased: its digest")
        elif known is not None and before and before != _digest(known):
            place.differ(said, "it changes a definition that is not the one before it")
        elif after and after != _digest(found):
            place.differ(said, "its definition is not what its digest was taken of")
        known = found


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two definitions mean the same: a release may have given them another default."""
    if one == other:
        return True
    try:
        return Product.model_validate(one) == Product.model_validate(other)
    except ValueError:
        return False


def _digest(definition: Mapping[str, Any]) -> str:
    return "sha256:" + sha256(canonical(definition)).hexdigest()
