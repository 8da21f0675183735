"""The lifecycle policies that come with phasegate."""

from __future__ import annotations

from importlib.resources import files


def names() -> tuple[str, ...]:
    """The shipped policies, sorted; each is what `--policy NAME` takes."""
    found = (item.name for item in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def text_of(name: str) -> str:
    """The YAML of a shipped policy. Raises KeyError for a name that `names()` does not give."""
    if name not in names():
        raise KeyError(f"no policy {name}; shipped: {', '.join(names())}")
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
