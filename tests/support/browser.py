"""A real browser without a window, for tests and benchmarks of the page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next(filter(None, map(shutil.which, _NAMES)), None)
DRIVER = shutil.which("chromedriver")
_QUIET = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)


@contextmanager
def browser() -> Iterator[Chrome]:
    """A browser that has seen nothing yet, in light mode; what it says is in its log."""
    options = ChromeOptions()
    options.binary_location = str(BROWSER)
    for word in _QUIET:
        options.add_argument(word)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # which root cannot have
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def visit(driver: Chrome, out: Path) -> Chrome:
    driver.get("about:blank")
    driver.get((out / "report.html").as_uri())
    driver.execute_script("document.getElementById('list').scrollIntoView()")
    return driver


def press(driver: Chrome, *keys: str) -> None:
    ActionChains(driver).send_keys(*keys).perform()


def shown(driver: Chrome) -> tuple[int, int]:
    """What the count says: rows that the filters leave, and all."""
    words = driver.find_element(By.ID, "count").text.split()
    return int(words[0].replace(",", "")), int(words[2].replace(",", ""))


def focused(driver: Chrome) -> str:
    """The number of the card that has the focus, or the id of what else has it."""
    index: str = driver.execute_script(
        "const one = document.activeElement; return one.dataset.index ?? one.id"
    )
    return index


def choose(driver: Chrome, name: str, value: str) -> None:
    Select(driver.find_element(By.ID, name)).select_by_value(value)
