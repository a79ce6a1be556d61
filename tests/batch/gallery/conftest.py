"""A browser that has opened the page of a run over inputs of every kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from cctranslate.cli import cli
from tests.support.browser import browser, visit
from tests.support.reports import rows, write_odd


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def out(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over inputs of every kind, to two expressions."""
    folder = tmp_path_factory.mktemp("odd")
    words = [str(path) for path in write_odd(folder)]
    words += ["--to", "happy,sad", "-o", str(folder / "out"), "--weights", str(weights)]
    result = CliRunner().invoke(cli, ["batch", "--device", "cpu", *words])
    assert result.exit_code == 1, result.output
    return folder / "out"


@pytest.fixture
def opened(driver: Chrome, out: Path) -> Chrome:
    """A browser that has just opened the run's page, its list in sight."""
    return visit(driver, out)


@pytest.fixture
def tall(opened: Chrome, out: Path) -> Iterator[Chrome]:
    """The page in a window that holds all of its cards."""
    opened.set_window_size(2400, 3000)
    everyone = len(rows(out))
    WebDriverWait(opened, 20).until(
        lambda d: len(d.find_elements(By.CSS_SELECTOR, ".card")) == everyone
    )
    yield opened
    opened.set_window_size(1280, 1000)
