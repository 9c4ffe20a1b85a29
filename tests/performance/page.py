"""What a written page costs its reader: python tests/performance/page.py PAGE [--screenshots FOLDER].

Size, time to load and to answer a first sort, and from a move of an explorer's slider to the drawn picture, each in a
real browser by the clock; then, if asked for, the page as a desktop and a phone show it, light and dark.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from chromium import Browser, browser, find

ROUNDS = 5
SORT = "document.querySelector('table thead button')"
SLIDES = """(async () => {
  const found = {};
  for (const root of document.querySelectorAll("details.explorer")) {
    for (let around = root; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
    const canvas = root.querySelector("canvas");
    while (!canvas.getAttribute("aria-label").includes("differs")) await new Promise(requestAnimationFrame);
    const slider = root.querySelector("input[type=range]");
    const times = [];
    for (let i = 0; i < 40; i++) {
      const began = performance.now();
      slider.value = -2 + i / 10;
      slider.dispatchEvent(new Event("input"));
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - began);
      await new Promise((done) => setTimeout(done, 20));
    }
    found[canvas.dataset.label] = times;
  }
  return found;
})()"""
"""Milliseconds of forty moves of the first slider of every explorer; the next frame's wait is part of them."""


def loaded(tab: Browser, url: str) -> tuple[float, float]:
    """Seconds until the page is there, and until it has answered a click on its first sortable column."""
    began = time.perf_counter()
    tab.open(url)
    there = time.perf_counter()
    tab.run(f"{SORT} ? ({SORT}.click(), new Promise(requestAnimationFrame)) : 0")
    return there - began, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if not options.page.exists():
        parser.error(f"{options.page}: no such file; benchmark report SUITE writes one")
    if find() is None:
        parser.error("no Chromium on the path, nor at $BENCHMARK_CHROMIUM: apt-get install chromium")
    url = options.page.resolve().as_uri()
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as tab:
        times = [loaded(tab, url) for _ in range(ROUNDS)]
        print(f"{options.page.stat().st_size / 1e6:.1f} MB; {len(tab.requests)} request; {len(tab.errors)} errors")
        there, sorted_ = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"loaded after {there:.2f} s, sorted after {sorted_:.2f} s (medians of {ROUNDS})")
        for label, moves in tab.run(SLIDES).items():
            print(f"explorer of {label}: {statistics.median(moves):.1f} ms a move (slowest of 40: {max(moves):.0f})")
        if options.screenshots:
            options.screenshots.mkdir(parents=True, exist_ok=True)
            for device, size in (("desktop", {"width": 1280}), ("phone", {"width": 390, "phone": True})):
                for scheme in ("light", "dark"):
                    tab.open(url, height=900, scheme=scheme, **size)
                    tab.screenshot(options.screenshots / f"{options.page.parent.name}-{device}-{scheme}.png")


if __name__ == "__main__":
    main()
