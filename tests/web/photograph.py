"""`PYTHONPATH=tests python -m web.photograph`: takes the pictures of the page in docs/images anew, in Chromium."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from web.filled import FILLED, fill
from web.house import INCIDENT, PASSWORD, House, built
from web.test_browser import Served

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES = (
    # file, address, width, height, pixels for one, colours
    ("page.png", f"/incidents/{INCIDENT}", 1280, 900, 1.0, "light"),
    ("page-phone.png", f"/incidents/{INCIDENT}", 390, 844, 2.0, "dark"),
    ("now.png", "/", 1280, 560, 1.0, "light"),
    ("sources.png", "/sources", 1280, 900, 1.0, "light"),
    ("accounts.png", "/accounts", 1280, 900, 1.0, "light"),
    ("wall.png", "/wall", 1920, 1080, 2 / 3, "dark"),
)


async def _evening(path: Path) -> None:
    world = await built(path, 47)
    world.database.close()


def photograph(house: House) -> None:
    """Take every picture, small enough to lie in the repository."""
    house.database.run_now(fill, house)
    with Served(house) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, address, width, height, factor, colours in PICTURES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, device_scale_factor=factor, locale="en",
                color_scheme=colours,
            )  # fmt: skip
            page = context.new_page()
            page.goto(f"{served.address}/sign-in")
            page.fill("#name", "anna")
            page.fill("#password", PASSWORD)
            page.click("main button")
            page.goto(f"{served.address}{address}")
            page.wait_for_load_state()
            picture = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(64, dither=Image.Dither.NONE)
            picture.save(IMAGES / name, optimize=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "brandmelder.db"
        asyncio.run(_evening(path))
        with House(path, yaml=FILLED) as house:
            photograph(house)
