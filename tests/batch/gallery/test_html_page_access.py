"""`report.html` for everybody: contrast, narrow windows, names of controls, the tab key."""

import sys
from typing import Any

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browser import BROWSER, DRIVER, focused, press

pytestmark = [
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium and chromedriver on PATH"),
    pytest.mark.skipif(sys.platform != "linux", reason="the inputs' names are Linux's alone"),
]


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
