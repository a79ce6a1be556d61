"""How quick the page of a run is: `python tests/bench/page.py OUT [OUT...]`.

Builds OUT/report.html once more, opens it in headless Chromium and prints, for each: rows, MB,
seconds to build it; milliseconds to the first paint and until all that is in the window is there;
the median of nine filters, from the choice to the next frame, and of nine jumps through the list;
the page's elements.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from selenium.webdriver import Chrome

from cctranslate.batch.gallery import html_page
from cctranslate.batch.outputs.folder import PAGE, REPORT, RUN
from cctranslate.batch.report.counts import count
from cctranslate.batch.report.formats import read_inputs
from tests.support.browser import browser

AFTER_PAINT = """
const done = arguments[arguments.length - 1], began = performance.now();
ACT;
requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
"""
CHOOSE = "const f = document.getElementById('%s'); f.value = '%s'; "
CHOOSE += "f.dispatchEvent(new Event(f.matches('select') ? 'change' : 'input', {bubbles: true}))"
ALL_THERE = """
const done = arguments[arguments.length - 1];
(function look() {
  const pictures = [...document.querySelectorAll('.card img')];
  if (pictures.length && pictures.every((one) => one.naturalWidth)) done(performance.now());
  else requestAnimationFrame(look);
})();
"""
FIRST_PAINT = "return performance.getEntriesByName('first-contentful-paint')[0].startTime"


def median(driver: Chrome, acts: list[str]) -> float:
    """Milliseconds from each act to the frame that shows it."""
    scripts = (AFTER_PAINT.replace("ACT", act) for act in acts)
    return statistics.median(float(driver.execute_async_script(one)) for one in scripts)


def measure(driver: Chrome, out: Path) -> str:
    """One line of the table."""
    run = json.loads((out / RUN).read_text(encoding="utf-8"))
    started = time.perf_counter()
    counts = count(rows for rows, _ in read_inputs(out / REPORT))
    html_page.write(out / PAGE, out / REPORT, counts, run)
    built = time.perf_counter() - started
    driver.get((out / PAGE).resolve().as_uri())
    there = driver.execute_async_script(ALL_THERE)
    paint = driver.execute_script(FIRST_PAINT)
    filters = [CHOOSE % ("outcome", outcome) for outcome in ("confirmed", "denied", "")]
    filters += [CHOOSE % ("search", word) for word in ("1", "12", "")]
    filters += [CHOOSE % ("order", order) for order in ("surest", "unsurest", "report")]
    filtered = median(driver, filters)
    jumps = [f"scrollTo(0, document.body.scrollHeight * {k / 10})" for k in range(1, 10)]
    jumped = median(driver, jumps)
    rows = driver.execute_script("return rows.length")
    elements = driver.execute_script("return document.querySelectorAll('*').length")
    size = (out / PAGE).stat().st_size / 1e6
    return (
        f"{rows:8}{size:8.1f}{built:9.2f}{paint:9.0f}{there:9.0f}{filtered:9.1f}{jumped:9.1f}"
        f"{elements:10}  {out}"
    )


def main() -> None:
    """Print the table."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    titles = ("MB", "build s", "paint ms", "there ms", "filter", "jump")
    print(
        f"{'rows':>8}{titles[0]:>8}" + "".join(f"{t:>9}" for t in titles[1:]) + f"{'elements':>10}"
    )
    for out in sys.argv[1:]:
        with browser() as driver:
            print(measure(driver, Path(out)), flush=True)


if __name__ == "__main__":
    main()
