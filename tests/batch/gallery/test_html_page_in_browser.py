"""`report.html` in a real browser, opened from disk: seen, filtered, by keys alone, in the dark."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from cctranslate.batch.gallery import html_page
from cctranslate.cli import cli
from tests.support import bundles, pictures
from tests.support.browser import BROWSER, DRIVER, choose, focused, press, shown, visit
from tests.support.cli import Run
from tests.support.reports import ODD_NAMES, SCRIPT, counted, data, replicate, rows

pytestmark = [
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium and chromedriver on PATH"),
    pytest.mark.skipif(sys.platform != "linux", reason="the inputs' names are Linux's alone"),
]


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


def test_filters_show_as_many_results_as_the_report_has(opened: Chrome, out: Path) -> None:
    found = rows(out)
    assert shown(opened) == (len(found), len(found))
    for target in ("happy", "sad"):
        choose(opened, "target", target)
        assert shown(opened)[0] == sum(row["target"] == target for row in found)
    choose(opened, "outcome", "denied")
    denied = [row for row in found if row["target"] == "sad" and row["confirmed"] == "false"]
    assert shown(opened)[0] == len(denied) > 0
    assert "judge: neutral" in opened.find_element(By.CSS_SELECTOR, ".card").text
    opened.find_element(By.ID, "all").click()
    for status in ("skipped", "failed"):
        choose(opened, "outcome", status)
        assert shown(opened)[0] == sum(row["status"] == status for row in found) > 0
    assert "failed: decode: " in opened.find_element(By.CSS_SELECTOR, ".card").text
    opened.find_element(By.ID, "all").click()
    sure = sorted(float(row["confidence"]) for row in found if row["confidence"])
    middle = round(sure[len(sure) // 2] * 100, 2)
    opened.find_element(By.ID, "least").send_keys(str(middle))
    assert shown(opened)[0] == sum(one >= middle / 100 for one in sure)
    opened.find_element(By.ID, "search").send_keys("FACES.CSV:")
    within = [row for row in found if "faces.csv:" in row["source"]]
    assert shown(opened)[0] == sum(float(row["confidence"]) >= middle / 100 for row in within)


def test_results_with_a_note_can_be_looked_through(
    driver: Chrome, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "face.png").write_bytes(pictures.png(3))
    Image.new("L", (48, 48)).save(tmp_path / "in" / "black.png")
    (tmp_path / "in" / "broken.png").write_bytes(b"broken")
    weights = bundles.write_bundle(tmp_path / "presence", presence=True)
    words = ("--to", "sad", "--weights", weights)
    assert run(tmp_path / "in", *words, "-o", tmp_path / "out").exit_code == 1
    visit(driver, tmp_path / "out")
    choose(driver, "outcome", "noted")
    assert shown(driver) == (1, 3)
    press(driver, Keys.ESCAPE, "j", Keys.ENTER)
    assert "no face found" in driver.find_element(By.CSS_SELECTOR, "#large dl").text


def test_a_cell_of_the_table_shows_its_results(opened: Chrome, out: Path) -> None:
    (cell,) = opened.find_elements(By.CSS_SELECTOR, "td button[aria-label^='fear to happy']")
    opened.execute_script("arguments[0].click()", cell)
    own = [r for r in rows(out) if (r["source_label"], r["target"]) == ("fear", "happy")]
    assert shown(opened)[0] == len(own) > 0
    choose(opened, "by", "read")
    heat = data(out / "report.html")["run"]["heat"]["read"]
    cells = len(opened.find_elements(By.CSS_SELECTOR, "td"))
    assert cells == 2 * len(heat)


def test_the_whole_page_can_be_used_by_keys(opened: Chrome, out: Path) -> None:
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


@pytest.mark.slow
def test_of_ten_thousand_rows_only_the_cards_in_the_window_exist(
    driver: Chrome, out: Path, tmp_path: Path
) -> None:
    manifest = json.loads((out / "run.json").read_text())
    journal = replicate(out, 10_000, tmp_path / "long")
    html_page.write(tmp_path / "long" / "report.html", journal, counted(journal), manifest)
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


def test_a_picture_without_a_face_is_shown_and_is_not_called_unreadable(
    driver: Chrome, weights: Path, tmp_path: Path
) -> None:
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    for name in ("plain.png", "plain.tif"):
        Image.new("L", (200, 150), 90).save(inputs / name)
    (inputs / "broken.png").write_bytes(b"\x89PNG\r\n")
    words = [str(inputs), "--to", "sad", "-o", str(out), "--weights", str(weights)]
    CliRunner().invoke(cli, ["batch", "--device", "cpu", *words])
    visit(driver, out)
    cards = driver.find_elements(By.CSS_SELECTOR, ".card")
    WebDriverWait(driver, 20).until(
        lambda d: (
            driver.execute_script("return document.querySelector('.card img').naturalWidth") == 200
        )
    )
    notes = ["could not be read" in card.text for card in cards]
    assert [name.rpartition("/")[2] for name in (row["source"] for row in rows(out))] == [
        "broken.png",
        "plain.png",
        "plain.tif",
    ]
    assert notes == [True, False, False]
    assert "not in this page" in cards[2].text
