"""Draw made-up roadmaps of 5 and of 100 products, to be looked at.

    .venv/bin/python scripts/roadmap_pictures.py FOLDER [--screenshots]

Writes roadmap-5 and roadmap-100 as html, svg, png, mmd and txt. With --screenshots, also what
chromium (Debian's, found on PATH) makes of the pages, in light and in dark: docs/images has two.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from portfolio import portfolio  # noqa: E402  # found by the line above

from client.pictures.drawing import html, svg  # noqa: E402
from client.pictures.png import png  # noqa: E402
from phasegate.mermaid import mermaid  # noqa: E402
from phasegate.roadmap_layout import lay_out  # noqa: E402
from phasegate.roadmap_text import lines  # noqa: E402


def draw(folder: Path, count: int) -> Path:
    """Write every form of a roadmap; the page's path."""
    roadmap = portfolio(count)
    chart = lay_out(roadmap, group_by="owner" if count > 20 else None)
    picture = svg(roadmap, chart)
    text = ("".join(piece.text for piece in line) for line in lines(roadmap, columns=100))
    name = folder / f"roadmap-{count}"
    name.with_suffix(".svg").write_text(picture, "utf-8")
    name.with_suffix(".png").write_bytes(png(picture))
    name.with_suffix(".mmd").write_text(mermaid(roadmap), "utf-8")
    name.with_suffix(".txt").write_text("\n".join(text), "utf-8")
    page = name.with_suffix(".html")
    page.write_text(html(roadmap, chart), "utf-8")
    return page


def shoot(pages: list[Path]) -> None:
    """What a browser shows of each page at first, 1,280 × 720."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only for screenshots

    found = shutil.which("chromium")
    if found is None:
        sys.exit("no chromium on PATH: apt-get install chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for page_file in pages:
            for scheme in ("light", "dark"):
                size = {"width": 1280, "height": 720}
                page = browser.new_context(color_scheme=scheme, viewport=size).new_page()
                page.goto(page_file.resolve().as_uri())
                page.screenshot(path=page_file.with_name(f"{page_file.stem}-{scheme}.png"))
        browser.close()


def main() -> None:
    folder = Path(next((word for word in sys.argv[1:] if not word.startswith("-")), "."))
    folder.mkdir(parents=True, exist_ok=True)
    pages = [draw(folder, count) for count in (5, 100)]
    if "--screenshots" in sys.argv:
        shoot(pages)


if __name__ == "__main__":
    main()
