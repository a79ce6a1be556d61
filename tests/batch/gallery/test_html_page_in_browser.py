"""`report.html` in a real browser, opened from disk: seen, filtered, by keys alone, in the dark."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from cctranslate.batch.gallery import html_page
from cctranslate.cli import cli
from tests.support.browser import BROWSER, DRIVER, browser
from tests.support.reports import ODD_NAMES, SCRIPT, counted, data, replicate, rows, write_odd

pytestmark = [
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium and chromedriver on PATH"),
    pytest.mark.skipif(sys.platform != "linux", reason="the inputs' names are Linux's alone"),
]


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


def visit(driver: Chrome, out: Path) -> Chrome:
    driver.get("about:blank")
    driver.get((out / "report.html").as_uri())
    driver.execute_script("document.getElementById('list').scrollIntoView()")
    return driver


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


def test_every_picture_shows_and_nothing_is_refused(tall: Chrome, out: Path) -> None:
    sources = [row for row in rows(out) if row["width"]]
    results = [row for row in rows(out) if row["output"]]
    assert len(sources) - 2 == len(results) > 30, "one face is too small for results"
    all_there = "return [...document.querySelectorAll('.card img')].every((one) => one.complete)"
    WebDriverWait(tall, 20).until(lambda d: d.execute_script(all_there))
    widths = tall.execute_script(
        "return [...document.querySelectorAll('.card img')].map((one) => one.naturalWidth)"
    )
    assert len(widths) == len(sources) + len(results)
    assert min(widths) >= 48
    assert tall.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_a_face_in_a_picture_is_cut_out(opened: Chrome) -> None:
    opened.find_element(By.ID, "search").send_keys("group.png")
    wide = "return [...document.querySelectorAll('.card img')].map((one) => one.clientWidth)"
    WebDriverWait(opened, 20).until(lambda d: min(d.execute_script(wide)) > 96)


def test_names_are_text_and_nothing_else(tall: Chrome) -> None:
    assert "cctranslate" in tall.title
    texts = [one.text for one in tall.find_elements(By.CSS_SELECTOR, ".card")]
    for name in (ODD_NAMES[2].decode(), "caf\\xe9.png", SCRIPT.rpartition("/")[2]):
        assert any(name in text for text in texts)
    assert tall.find_elements(By.CSS_SELECTOR, "[onerror], .card script") == []


def test_filters_leave_what_the_report_has_of_it(opened: Chrome, out: Path) -> None:
    told = rows(out)
    assert shown(opened) == (len(told), len(told))
    for target in ("happy", "sad"):
        choose(opened, "target", target)
        assert shown(opened)[0] == sum(row["target"] == target for row in told)
    choose(opened, "outcome", "denied")
    denied = [row for row in told if row["target"] == "sad" and row["confirmed"] == "false"]
    assert shown(opened)[0] == len(denied) > 0
    assert "judge: neutral" in opened.find_element(By.CSS_SELECTOR, ".card").text
    opened.find_element(By.ID, "all").click()
    for status in ("skipped", "failed"):
        choose(opened, "outcome", status)
        assert shown(opened)[0] == sum(row["status"] == status for row in told) > 0
    assert "failed: decode: " in opened.find_element(By.CSS_SELECTOR, ".card").text
    opened.find_element(By.ID, "all").click()
    sure = sorted(float(row["confidence"]) for row in told if row["confidence"])
    middle = round(sure[len(sure) // 2] * 100, 2)
    opened.find_element(By.ID, "least").send_keys(str(middle))
    assert shown(opened)[0] == sum(one >= middle / 100 for one in sure)
    opened.find_element(By.ID, "search").send_keys("FACES.CSV:")
    within = [row for row in told if "faces.csv:" in row["source"]]
    assert shown(opened)[0] == sum(float(row["confidence"]) >= middle / 100 for row in within)


def test_a_cell_of_the_table_shows_its_results(opened: Chrome, out: Path) -> None:
    (cell,) = opened.find_elements(By.CSS_SELECTOR, "td button[aria-label^='fear to happy']")
    opened.execute_script("arguments[0].click()", cell)
    own = [r for r in rows(out) if (r["source_label"], r["target"]) == ("fear", "happy")]
    assert shown(opened)[0] == len(own) > 0
    choose(opened, "by", "read")
    heat = data(out / "report.html")["run"]["heat"]["read"]
    cells = len(opened.find_elements(By.CSS_SELECTOR, "td"))
    assert cells == 2 * len(heat)


def test_all_of_it_by_keys(opened: Chrome, out: Path) -> None:
    press(opened, "/")
    assert focused(opened) == "search"
    press(opened, "faces.csv", Keys.ESCAPE)
    assert shown(opened)[0] == 14
    press(opened, "j", "j", "l", "k", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert focused(opened) == "2"
    press(opened, Keys.END)
    assert focused(opened) == "13"
    press(opened, Keys.HOME, Keys.ARROW_DOWN)
    assert int(focused(opened)) > 1
    press(opened, Keys.HOME, "j", Keys.ENTER)
    title = opened.find_element(By.ID, "large-title")
    assert title.text == "2 of 14: to sad, confirmed"
    assert len(opened.find_elements(By.CSS_SELECTOR, ".bars [role=listitem]")) == 7
    press(opened, "j", "b")
    assert title.text == "3 of 14: to happy, confirmed"
    pair = opened.find_elements(By.CSS_SELECTOR, "#large img")
    assert pair[0].get_attribute("src") == pair[1].get_attribute("src")
    press(opened, "b", Keys.ESCAPE)
    assert not title.is_displayed()
    assert focused(opened) == "2"
    press(opened, "4", "c", "c")
    assert shown(opened)[0] == 0
    press(opened, "c", "c")
    assert shown(opened)[0] == 7
    press(opened, "x")
    assert shown(opened)[0] == len(rows(out))
    press(opened, "?")
    assert opened.find_element(By.CSS_SELECTOR, "#help dl").is_displayed()


def test_tab_goes_from_the_filters_to_one_card_and_on(opened: Chrome) -> None:
    opened.find_element(By.ID, "all").send_keys(Keys.TAB)
    assert focused(opened) == "0"
    press(opened, Keys.TAB)
    assert opened.execute_script("return document.activeElement.closest('details')?.id") == "help"


CONTRASTS = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const levels = (color, under) => {
  for (const one of [under, color]) { canvas.fillStyle = one; canvas.fillRect(0, 0, 1, 1); }
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const light = (rgb) => rgb.map((v) => v / 255)
  .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const hex = (rgb) => `rgb(${rgb})`;
const ground = (one) => {
  const above = one ? ground(one.parentElement) : 'white';
  return one ? hex(levels(getComputedStyle(one).backgroundColor, above)) : above;
};
return [...document.querySelectorAll(
  'h1, p, a:not(.skip), th, td button, label, button, select, summary, .words > *, dt, dd')]
  .filter((one) => one.checkVisibility() && !one.disabled).map((one) => {
    const under = ground(one), ink = levels(getComputedStyle(one).color, under);
    const [low, high] = [light(ink), light(levels(under, under))].sort((a, b) => a - b);
    return [(high + 0.05) / (low + 0.05), `${one.tagName} ${one.className} ${one.textContent}`];
  });
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_in_dark(opened: Chrome, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    opened.execute_script("document.getElementById('help').open = true")
    measured = opened.execute_script(CONTRASTS)
    assert len(measured) > 50
    assert [(ratio, text) for ratio, text in measured if ratio < 4.5] == []
    dark = "return matchMedia('(prefers-color-scheme: dark)').matches"
    assert opened.execute_script(dark) == (scheme == "dark")
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("width", [320, 390, 800])
def test_a_narrow_window_shows_it_all_without_sideways_scrolling(
    opened: Chrome, width: int
) -> None:
    size = {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    fits = "const page = document.documentElement; return page.scrollWidth <= page.clientWidth"
    # The cards are laid out anew in the next frame.
    WebDriverWait(opened, 20).until(lambda d: d.execute_script(fits))
    assert len(opened.find_elements(By.CSS_SELECTOR, ".card")) > 4
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_control_has_a_name(opened: Chrome) -> None:
    tree = opened.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    seen = [node for node in tree if not node["ignored"]]

    def of(role: str) -> list[Any]:
        return [n.get("name", {}).get("value") for n in seen if n["role"]["value"] == role]

    for role in ("button", "combobox", "searchbox", "spinbutton", "link", "image"):
        assert of(role), role
        assert all(of(role)), role
    for landmark in ("main", "banner", "search"):
        assert len(of(landmark)) == 1


def test_of_ten_thousand_rows_only_the_cards_in_the_window_exist(
    driver: Chrome, out: Path, tmp_path: Path
) -> None:
    told = json.loads((out / "run.json").read_text())
    journal = replicate(out, 10_000, tmp_path / "long")
    html_page.write(tmp_path / "long" / "report.html", journal, counted(journal), told)
    visit(driver, tmp_path / "long")
    assert shown(driver) == (10_000, 10_000)
    press(driver, "j", Keys.END)
    assert focused(driver) == "9999"
    assert driver.switch_to.active_element.is_displayed()
    cards = driver.find_elements(By.CSS_SELECTOR, ".card")
    assert 10 < len(cards) < 200
    numbers = [int(card.get_attribute("data-index") or 0) for card in cards]
    assert numbers == sorted(numbers), "tabs and screen readers go in order"


def test_a_run_without_a_picture_says_so(driver: Chrome, weights: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    words = ["batch", str(tmp_path / "in"), "--to", "happy", "--weights", str(weights)]
    result = CliRunner().invoke(cli, [*words, "-o", str(tmp_path / "out"), "--device", "cpu"])
    assert result.exit_code == 3, result.output
    visit(driver, tmp_path / "out")
    assert shown(driver) == (0, 0)
    press(driver, "j", "c", "x")
    assert driver.get_log("browser") == []  # type: ignore[no-untyped-call]
