"""The named peer of `wangxun bench browser`: plain Playwright, a new page for each address, the same blocking. Never used on patrol.

`python -m crawlers.browsing_bare CHROMIUM http://127.0.0.1:N/bare/ PAGES TABS SHOT`: pages 1 to PAGES, TABS side by side; keeps nothing.
"""

from __future__ import annotations

import asyncio
import sys

from playwright.async_api import BrowserContext, Route, async_playwright

BLOCKED = ("image", "media", "font")


async def _screen(route: Route) -> None:
    if route.request.resource_type in BLOCKED:
        await route.abort()
    else:
        await route.continue_()


async def _work(context: BrowserContext, numbers: asyncio.Queue[int], start: str, shot: str) -> None:
    while not numbers.empty():
        number = numbers.get_nowait()
        page = await context.new_page()
        await page.goto(f"{start}{number}", wait_until="domcontentloaded", timeout=600_000)
        await page.wait_for_selector(".item", state="attached")
        await page.content()
        if shot != "none":
            await page.screenshot(full_page=shot == "full")
        await page.close()


async def main(browser: str, start: str, pages: int, tabs: int, shot: str) -> None:
    """Load all pages once."""
    numbers: asyncio.Queue[int] = asyncio.Queue()
    for number in range(1, pages + 1):
        numbers.put_nowait(number)
    async with async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=browser, chromium_sandbox=False)
        context = await opened.new_context(viewport={"width": 1280, "height": 900})
        await context.route("**/*", _screen)
        await asyncio.gather(*(_work(context, numbers, start, shot) for _ in range(tabs)))
        await opened.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
