"""A roadmap as PNG, drawn from its SVG by resvg."""

from __future__ import annotations

from client.usage import UsageError


def png(svg: str, *, zoom: float = 2.0) -> bytes:
    """`zoom` pixels for each of the SVG's, so that it is sharp on slides.

    Fonts are those of this machine. Raises UsageError where the extra `pictures` is not installed.
    """
    try:
        from resvg_py import svg_to_bytes  # noqa: PLC0415  # an extra, and may be missing
    except ImportError as error:
        raise UsageError(
            "PNG cannot be drawn here",
            "resvg-py is not installed; SVG and HTML need nothing more",
            "pip install 'phasegate[pictures]'  # or --svg FILE",
        ) from error
    return bytes(svg_to_bytes(svg_string=svg, zoom=zoom, sans_serif_family="DejaVu Sans"))
