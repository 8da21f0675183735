"""What is wrong with what a task of the sunset does, and with what undoes it."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.acts import CommandAct, CustomAct, HttpAct, MailAct, ManualAct, Probe
from phasegate.expressions import compile_error, never_compiles
from phasegate.lint.findings import Finding, or_meant
from phasegate.placeholders import BRACED, PLACEHOLDER
from phasegate.problems import DocPath
from phasegate.sunset import ActingTask, Undo

OF_PRODUCT = ("product", "name", "notice", "end_of_sales", "end_of_security_support", "end_of_life")
"""What every act may ask for."""

OF_CUSTOMER = (*OF_PRODUCT, "customer")
OF_REMINDER = (*OF_CUSTOMER, "task", "date")

_AnyAct = ActingTask | Undo


def act_findings(
    path: DocPath, task: ActingTask, *, each: bool, abortable: bool
) -> Iterator[Finding]:
    """`path` is the task's own. `each`: {each} is replaced in it. `abortable`: an abort can still
    come after it."""
    yield from _act(path, task, each=each)
    if task.undo is not None:
        yield from _act((*path, "undo"), task.undo, each=each)
    if task.effect != "reversible" and task.undo is not None:
        message = (
            f"{task.id} cannot be undone, by its effect, so that its undo is never carried out"
        )
        yield Finding("warning", (*path, "undo"), f"{message}; take one of them out")
    elif task.undo is None and abortable and isinstance(task, HttpAct | CommandAct | CustomAct):
        yield Finding(
            "warning",
            path,
            f"an abort leaves {task.id} as it is; say in undo what brings it back, or that nothing "
            "has to be (undo: {kind: notice, text: …})",
        )
    if task.effect == "deletion" and isinstance(task, HttpAct | ManualAct) and not task.proof:
        wanted = "[digest, count]" if isinstance(task, ManualAct) else "{count: body.count}"
        yield Finding("warning", path, f"nothing shows what {task.id} deleted; add proof: {wanted}")


def mail_findings(path: DocPath, mail: MailAct, known: tuple[str, ...]) -> Iterator[Finding]:
    """Placeholders that nobody fills: customers would read them."""
    for field, text in (("subject", mail.subject), ("text", mail.text)):
        for braced in BRACED.finditer(text):
            if braced[1] not in known:
                hint = or_meant(braced[1], known)
                message = f"nothing stands for {braced[0]} in a mail to customers{hint}"
                yield Finding("error", (*path, field), message)


def _act(path: DocPath, act: _AnyAct, *, each: bool) -> Iterator[Finding]:
    more = ("each",) if each else ()
    if isinstance(act, MailAct):
        yield from mail_findings(path, act, (*OF_CUSTOMER, *more))
    elif isinstance(act, HttpAct):
        yield from _http(path, act, (*OF_PRODUCT, *more))
    elif isinstance(act, CommandAct):
        for name, text in act.arguments.items():
            yield from _fills((*path, "arguments", name), text, (*OF_PRODUCT, *more))


def _http(path: DocPath, act: HttpAct, known: tuple[str, ...]) -> Iterator[Finding]:
    yield from _address(path, act, known)
    for name, text in act.body.items():
        yield from _fills((*path, "body", name), text, known)
    for name, expression in act.proof.items():
        if problem := never_compiles(expression, "status", "body"):
            yield Finding("error", (*path, "proof", name), problem)
    if act.probe is not None:
        yield from _address((*path, "probe"), act.probe, known)
        if problem := compile_error(act.probe.expression, "status", "body"):
            yield Finding("error", (*path, "probe", "expression"), problem)


def _address(path: DocPath, address: HttpAct | Probe, known: tuple[str, ...]) -> Iterator[Finding]:
    for field, text in (("url", address.url), ("path", address.path)):
        if text:
            yield from _fills((*path, field), text, known)


def _fills(path: DocPath, text: str, known: tuple[str, ...]) -> Iterator[Finding]:
    """Placeholders that nothing fills: the act would never be carried out."""
    for found in PLACEHOLDER.finditer(text):
        if found[1] not in known:
            hint = or_meant(found[1], known)
            yield Finding("error", path, f"nothing stands for {found[0]} in an act{hint}")
