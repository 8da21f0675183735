"""A product changes: its definition is replaced, or it gets another owner."""

from __future__ import annotations

from typing import get_args

from phasegate.base import digest_of
from phasegate.directory import Permission
from phasegate.errors import Forbidden, Rejected
from phasegate.lifecycle import Lifecycle
from phasegate.milestones import Milestone, first_dates, replan
from phasegate.ports import Authority
from phasegate.product import Product, require_bounded
from phasegate.requests import HandoverRequest, UpdateProductRequest
from phasegate.room import require_room_for_roadmap, roadmap_bytes
from phasegate.stewardship import require_permission
from phasegate.sunset import Maturity


def changed_fields(before: Product, after: Product) -> list[str]:
    """The top-level fields in which two definitions differ."""
    return [name for name in Product.model_fields if getattr(before, name) != getattr(after, name)]


# -- a new definition -----------------------------------------------------------------------------


def check_update(state: Lifecycle, request: UpdateProductRequest) -> list[str]:
    """The fields that change. Raises Rejected where this is no newer version of the definition."""
    old, new, key = state.product, request.product, state.key
    what, show = f"{key} cannot be updated with this definition", f"phasegate product show {key}"
    if new.key != key:
        raise Rejected(
            "other-product", what, f"its key is {new.key}, and a key never changes", show
        )
    if new.policy not in (None, old.policy, state.policy.name):
        why = f"its policy is {new.policy}; {key} runs under {state.policy.name}"
        raise Rejected("other-policy", what, why, f"{show}  # then leave `policy` as it is")
    if new.owner != old.owner:
        why = f"its owner is {new.owner}; {key} belongs to {old.owner}"
        hint = f"phasegate product handover {key} {new.owner} --as {old.owner} --reason 'say why'"
        raise Rejected("other-owner", what, why, hint)
    require_bounded(new)
    changed = changed_fields(old, new)
    if not changed:
        raise Rejected("unchanged", what, "it is what the product has already", show)
    if new.tier > old.tier and changed != ["tier"]:
        raise Rejected(
            "tier-alone",
            what,
            f"it makes the launch smaller, from tier {old.tier} to {new.tier}, and also changes "
            f"{', '.join(name for name in changed if name != 'tier')}",
            f"{show}  # the smaller tier is decided by others than the owner: send it by itself",
        )
    _require_room(state, new)
    return changed


def _require_room(state: Lifecycle, new: Product) -> None:
    """Try on a copy what the roadmap would be, and measure it."""
    milestones = [milestone.model_copy() for milestone in state.milestones]
    _follow(state, milestones, new)
    first = first_dates(state.first_dates, state.product)
    require_room_for_roadmap(
        state.key,
        before=roadmap_bytes(state.milestones, first, state.product),
        after=roadmap_bytes(milestones, first_dates(first, new), new),
    )


def _follow(state: Lifecycle, milestones: list[Milestone], new: Product) -> list[str]:
    phase = state.brief.phase if state.brief and not state.entering else None
    first = first_dates(state.first_dates, state.product)
    return replan(milestones, phase, state.product, new, first=first)


def makes_smaller(state: Lifecycle, request: UpdateProductRequest) -> bool:
    """Whether fewer people would be asked afterwards, or the public would be owed less notice of
    its end: that is not for the owner to decide."""
    return request.product.tier > state.product.tier or _owes_less(state, request)


def _owes_less(state: Lifecycle, request: UpdateProductRequest) -> bool:
    ranks = list(get_args(Maturity))
    return ranks.index(request.product.maturity) < ranks.index(state.product.maturity)


def update(state: Lifecycle, request: UpdateProductRequest, found: Authority) -> str:
    """Take the new definition, and say what follows from it."""
    if makes_smaller(state, request):
        what = f"make {state.key} a smaller launch, of tier {request.product.tier}"
        if _owes_less(state, request):
            what = f"say that {state.key} is only {request.product.maturity}"
        require_permission(state, request.actor, found, Permission.waive, what)
    else:
        state.require_owner(request.actor, "update")
    changed = check_update(state, request)
    told = _follow(state, state.milestones, request.product)
    state.first_dates = first_dates(state.first_dates, state.product)
    state.product, state.definition_digest = request.product, digest_of(request.product)
    return "; ".join([f"{state.key} is updated: {', '.join(changed)}", *told])


# -- a new owner ----------------------------------------------------------------------------------


def check_handover(state: Lifecycle, request: HandoverRequest) -> None:
    """Raise Rejected where the product would stay whose it is."""
    if request.to == state.product.owner:
        raise Rejected(
            "same-owner",
            f"{state.key} cannot be handed over to {request.to}",
            f"{request.to} owns it already",
            f"phasegate product show {state.key}",
        )


def hand_over(
    state: Lifecycle, request: HandoverRequest, rights: Authority, found: Authority
) -> str:
    """Give it a new owner. `rights` speak of the actor and of the owner, `found.known` of `to`."""
    check_handover(state, request)
    owner, to = state.product.owner, request.to
    if request.actor != owner and not rights.manages:
        others = [f"{manager} (a manager of {owner})" for manager in rights.about_managers]
        raise Forbidden(
            "not-owner",
            f"{request.actor} may not hand {state.key} over",
            f"that is for {' or '.join([f'its owner, {owner}', *others])}",
            f"phasegate directory show {state.directory}",
        )
    if not found.known:
        raise Rejected(
            "unknown-person",
            f"{state.key} cannot be handed over to {to}",
            f"directory {state.directory} does not know {to}",
            f"phasegate directory show {state.directory}",
        )
    state.product = state.product.model_copy(update={"owner": to})
    state.definition_digest = digest_of(state.product)
    state.had_a_hand[owner] = "owned it until it was handed over"
    state.owned_here += [owner] if owner not in state.owned_here else []
    moved = [condition for condition in state.open_conditions() if condition.owner == owner]
    for condition in moved:
        condition.promised_by = condition.promised_by or owner
        condition.owner = to
    ids = ", ".join(condition.id for condition in moved)
    text = f"{state.key} goes from {owner} to {to}: {request.reason}"
    text += f"; so do its owner's open conditions: {ids}" if ids else ""
    sitting = state.sittings.open
    gate = sitting.gate if sitting else state.sunset.gate if state.sunset else None
    if gate is None:
        return text
    return f"{text}; yes-votes on {gate}, which is open, are void, and {to} votes on it no longer"
