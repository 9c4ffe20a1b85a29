"""The page in a real browser: what a reader clicks, types and hears, and that nothing leaves it."""

import csv
import io
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from chromium import Browser
from small import small_run
from small import table as points
from synthetic_suite import DECLARATIONS, synthetic_suite, write_scores

from benchmark.codes import Codes
from benchmark.models.pca import PCA
from benchmark.stages.studies import Trained
from benchmark.stages.studies.decoder import arrays
from benchmark.table import compile_table
from leaderboard import charts
from leaderboard.report import write_report
from leaderboard.text_table import TextTable

PAPER = TextTable("Table 5.3", ["model", "paper", "here"], [["beta_vae", "0.20 ± 0.07", "0.21 ± 0.02"]], "As printed.")
NAMES = "[...document.querySelectorAll('#data-0-0 .trained tr:not([hidden])')].map(row => row.cells[0].dataset.value)"
EXPLORER = "document.querySelector('details.explorer')"
SHOWN = """[...document.querySelectorAll('#data-0-0 thead tr:last-child th:not([hidden]) .title')]
.map(one => one.textContent)"""


def write_explorer(folder: Path) -> None:
    """Codes with the arrays that an explorer needs, and no pictures."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 1, 8, 8)).astype(np.uint8)
    model = PCA(PCA.Settings(latents=3)).fit(images.reshape(50, 64) / np.float32(255), rng)
    z = rng.standard_normal((50, 3)).astype(np.float32)
    data = points(images, maximum=255)
    stored = arrays(Trained(model, data, Codes(z, data.factors, (), ()), small_run()))
    Codes(z, data.factors, (), (), arrays=stored).save(folder / "codes.safetensors")


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    """A page's address: one model sees labels, a run of another has no MIG."""
    folder = tmp_path_factory.mktemp("results")
    runs = synthetic_suite(folder, seeds=2, pictures=False)
    of = {run.model.name: path for run, path in runs if run.seed == 0}
    for run, path in runs:
        if run.model.name == "factor_vae":
            record = json.loads((path / "run.json").read_text())
            (path / "run.json").write_text(json.dumps(record | {"marks": ["sees labels"]}))
        if run.model.name == "pca":
            write_explorer(path)
    write_scores(of["vae"], "mig", {}, "failed", "no time left")
    table = compile_table("suite", runs)
    tables = {"shapes": [PAPER]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "ORDER", ("trade_off",))  # the others are drawn in tests of their own
        return write_report("suite", "For a browser.", table, runs, DECLARATIONS, folder, (), tables).as_uri()


@pytest.fixture
def tab(chromium, page) -> Browser:
    chromium.open(page)
    return chromium


def click(tab: Browser, selector: str) -> None:
    tab.run(f"document.querySelector({json.dumps(selector)}).click()")


def fill(tab: Browser, selector: str, value: str) -> None:
    field = f"document.querySelector({json.dumps(selector)})"
    tab.run(f"{field}.value = {json.dumps(value)}; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))")


def test_nothing_leaves_the_page_and_no_script_fails(tab, page):
    for selector in (".menu summary", "[data-columns=all]", ".board thead button", ".board td a", "dialog button"):
        click(tab, selector)
    assert tab.errors == []
    assert {url for url in tab.requests if not url.startswith("data:")} == {page}


def test_a_request_would_be_noticed(tab):
    """The check above can fail: the page's own policy refuses a request, and the console says so."""
    tab.run("fetch('http://127.0.0.1:9/').catch(() => null)")
    tab.run("new Promise(done => setTimeout(done, 50))")
    assert tab.errors


def test_columns_sort_both_ways_and_keep_rows_without_a_number_last(tab):
    heads = "[...document.querySelectorAll('#data-0-0 thead tr:last-child button')]"
    press = f"{heads}.find(one => one.textContent.startsWith('KL')).click()"
    tab.run(press)
    first = tab.run(NAMES)
    tab.run(press)
    second = tab.run(NAMES)
    assert first[:3] == second[:3][::-1] != []
    assert set(first[3:]) == set(second[3:]) == {"ae", "pca"}, "no KL"
    assert tab.run("document.querySelectorAll('#data-0-0 [aria-sort]').length") == 1
    assert tab.run("document.querySelector('#data-0-0 .references tr:last-child th').textContent") in (
        "perfect",
        "noise",
    )


def test_rows_are_found_by_text_and_by_model(tab):
    fill(tab, "[data-filter=text]", "β=10")
    assert tab.run(NAMES) == ["beta_vae β=10"]
    assert "1 of 8 rows" in tab.run("document.querySelector('.state').textContent")
    fill(tab, "[data-filter=text]", "")
    fill(tab, "[data-filter=model]", "beta_vae")
    assert set(tab.run(NAMES)) == {"beta_vae β=4", "beta_vae β=10"}
    fill(tab, "[data-filter=model]", "")
    fill(tab, "[data-filter=kind]", "mark:sees labels")
    assert tab.run(NAMES) == []
    assert not tab.run("document.querySelector('#data-0-0 .labelled').hidden")
    assert tab.run("document.querySelector('#data-0-0 .references').hidden")


def test_models_that_see_labels_stand_apart(tab):
    assert "factor_vae γ=10" not in tab.run(NAMES)
    text = tab.run("document.querySelector('#data-0-0 .labelled').textContent")
    assert "Trained on labels" in text and "factor_vae" in text
    assert tab.run("document.querySelectorAll('#data-0-0 .labelled .best').length") == 0


def test_columns_can_be_chosen(tab):
    assert "parameters" not in tab.run(SHOWN)
    click(tab, "[data-columns=all]")
    everything = tab.run(SHOWN)
    assert {"parameters", "evaluation, s", "MIG"} <= set(everything)
    click(tab, "[data-columns-of=disentanglement]")
    assert "MIG" not in tab.run(SHOWN) and len(tab.run(SHOWN)) == len(everything) - 2
    assert tab.run("document.querySelector('#data-0-0 th[data-group=disentanglement]').hidden")
    widths = tab.run(
        "[...document.querySelectorAll('#data-0-0 tbody tr:not(.body-name)')]"
        ".map(row => [...row.cells].filter(cell => !cell.hidden).length)"
    )
    assert len(set(widths)) == 1
    click(tab, "[data-columns=first]")
    assert "MIG" in tab.run(SHOWN) and "parameters" not in tab.run(SHOWN)


def test_a_number_leads_to_its_seeds_and_to_a_run(tab):
    tab.run(
        "[...document.querySelectorAll('#data-0-0 .trained tr')]"
        ".find(row => row.cells[0].dataset.value === 'vae').querySelector('td > a').click()"
    )
    assert tab.run("document.querySelector('dialog').open")
    said = tab.run("document.querySelector('dialog').textContent")
    assert "seed 0" in said and "–" in said and "no time left" in said and "mig/bins20-mean-n10000/v1" in said
    click(tab, "dialog dt a")
    assert not tab.run("document.querySelector('dialog').open")
    tab.run("new Promise(done => setTimeout(done, 50))")
    assert tab.run("document.getElementById(location.hash.slice(1)).closest('details').open"), "brought out"
    run = tab.run("document.getElementById(location.hash.slice(1)).textContent")
    assert "benchmark run quickstart --only model=vae --seeds 0" in run and "0123456789ab" in run
    assert tab.run("document.getElementById(location.hash.slice(1)).querySelectorAll('.curves path').length") == 3


def test_every_link_leads_somewhere(tab):
    missing = "[...document.querySelectorAll('a[href]')].filter(a => !document.getElementById(a.hash.slice(1))).length"
    assert tab.run("document.querySelectorAll('a[href]').length") > 50 and tab.run(missing) == 0


def test_keys_alone_reach_and_open_a_number(tab):
    tab.run("document.querySelector('#data-0-0 .trained a').focus()")
    tab.press("ArrowRight")
    tab.press("ArrowDown")
    assert tab.run("document.activeElement.closest('tr').sectionRowIndex") == 1
    assert tab.run("document.activeElement.closest('td').cellIndex") == 3
    tab.press("Enter")
    assert tab.run("document.querySelector('dialog').open")
    tab.press("Escape")
    assert tab.run("!document.querySelector('dialog').open && document.activeElement.closest('td').cellIndex") == 3


def test_focus_can_be_seen(tab):
    tab.press("Tab")
    assert tab.run("document.activeElement.className") == "skip"
    for _ in range(6):
        tab.press("Tab")
        outline = tab.run("getComputedStyle(document.activeElement).outlineStyle")
        width = tab.run("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert outline != "none" and width >= 2, tab.run("document.activeElement.outerHTML")


def test_controls_tables_headings_and_pictures_have_names(tab):
    unnamed = tab.run(
        """[...document.querySelectorAll('button, a[href], input, select, summary, [role=region]')].filter(one =>
        !(one.textContent.trim() || one.getAttribute('aria-label') || one.closest('label')?.textContent.trim() ||
        one.labels?.[0]?.textContent.trim()))
        .map(one => one.outerHTML)"""
    )
    assert unnamed == []
    assert tab.run("[...document.querySelectorAll('table')].filter(one => !one.caption).length") == 0
    assert tab.run("[...document.querySelectorAll('th')].filter(one => !one.scope).length") == 0
    assert tab.run("[...document.querySelectorAll('img')].filter(one => one.alt.length < 20).length") == 0
    assert (
        tab.run(
            "[...document.querySelectorAll('svg:not([aria-hidden])')]"
            ".filter(one => !one.getAttribute('aria-label')).length"
        )
        == 0
    )
    levels = tab.run("[...document.querySelectorAll('main h2, main h3, main h4, main h5')].map(one => +one.tagName[1])")
    assert levels[0] == 2 and all(b <= a + 1 for a, b in pairwise(levels))
    ids = tab.run("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))


CONTRAST = """
(() => {
  for (const part of document.querySelectorAll('details')) part.open = true;
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (c) => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = (color) => color.slice(0, 3).map((c) => linear(c / 255))
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const found = rgb(getComputedStyle(one).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return null;
  };
  const bad = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const one = node.parentElement;
    if (!node.data.trim() || !one.checkVisibility() || ['SCRIPT', 'STYLE'].includes(one.tagName)) continue;
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.set(one.tagName + '.' + one.className, ratio);
  }
  return [...bad];
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(tab, page, scheme):
    tab.open(page, scheme=scheme)
    assert tab.run("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
    assert tab.run(CONTRAST) == []


def test_the_paper_stands_beside(tab):
    assert tab.run("[...document.querySelectorAll('caption')].some(one => one.textContent === 'Table 5.3')")
    assert "0.20 ± 0.07" in tab.run("document.querySelector('.words').textContent")


def test_a_phone_scrolls_down_only(tab, page):
    tab.open(page, width=390, height=800, phone=True)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    click(tab, ".menu summary")
    box = tab.run("(({left, right}) => [left, right])(document.querySelector('.panel').getBoundingClientRect())")
    assert box[0] >= 0 and box[1] <= 390


def test_an_explorer_runs_within_the_page(tab, page):
    """What it decodes, and that it draws that, is tested beside its arrays; here that the page leaves it alone."""
    tab.open(page, width=390, height=800, phone=True)
    tab.run(f"{EXPLORER}.closest('article').querySelectorAll('details').forEach(one => one.open = true)")
    tab.run(f"{EXPLORER}.open = true")
    ready = f"{EXPLORER}.querySelector('canvas').getAttribute('aria-label').includes('differs')"
    tab.run(f"(async () => {{ while (!{ready}) await new Promise(requestAnimationFrame) }})()")
    picture = f"{EXPLORER}.querySelector('canvas').toDataURL()"
    before = tab.run(picture)
    tab.run(f"{EXPLORER}.querySelector('input').focus()")
    for _ in range(10):
        tab.press("ArrowRight")
    tab.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert tab.run(picture) != before
    assert tab.run("document.documentElement.scrollWidth") <= 390
    assert tab.errors == []
    assert {url for url in tab.requests if not url.startswith("data:")} == {page}


def test_a_page_without_scripts_shows_every_column(tab, page):
    tab.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(page)
        shown = tab.send("DOM.getDocument")["root"]["nodeId"]
        node = tab.send("DOM.querySelector", nodeId=shown, selector="#data-0-0 thead th[hidden]")["nodeId"]
        assert tab.send("DOM.getBoxModel", nodeId=node)["model"]["width"] > 10
    finally:
        tab.send("Emulation.setScriptExecutionDisabled", value=False)


HEAD = "[...document.querySelectorAll('#data-0-0 thead button')].find(one => one.textContent.startsWith('MIG'))"
CARD = f"document.getElementById({HEAD}.getAttribute('aria-describedby'))"


@pytest.mark.parametrize("kind", ["pointerenter", "focus", "click"])
def test_a_head_has_a_card_and_escape_closes_it(tab, kind):
    assert tab.run(f"{CARD}.hidden")
    tab.run(f"{HEAD}.dispatchEvent(new Event('{kind}'))")
    said = tab.run(f"{CARD}.hidden ? '' : {CARD}.textContent")
    assert "Higher is better" in said and "mig/bins20-mean-n10000/v1" in said
    assert "perfect 0.9" in said and "noise 0.005" in said, "its ceiling and floor on this data"
    tab.press("Escape")
    assert tab.run(f"{CARD}.hidden")


def test_state_stands_in_the_address_and_comes_back(tab, page):
    fill(tab, "[data-filter=text]", "vae")
    click(tab, "[data-columns=all]")
    press = "[...document.querySelectorAll('#data-0-0 thead button')].find(one => one.textContent.startsWith('KL'))"
    tab.run(f"{press}.click()")
    order, names = tab.run(f"{press}.closest('th').getAttribute('aria-sort')"), tab.run(NAMES)
    columns, address = tab.run(SHOWN), tab.run("location.href")
    assert "#?" in address and names and order
    tab.open("about:blank")
    tab.open(address)
    assert tab.run(NAMES) == names and tab.run(SHOWN) == columns
    assert tab.run(f"{press}.closest('th').getAttribute('aria-sort')") == order
    assert tab.run("document.querySelector('[data-filter=text]').value") == "vae"


def test_an_opened_run_stands_beside_the_filter_in_the_address(tab):
    fill(tab, "[data-filter=text]", "vae")
    click(tab, "#data-0-0 .trained tr:not([hidden]) th a")
    tab.run("new Promise(done => setTimeout(done, 50))")
    assert "text=vae" in tab.run("location.hash") and "run=run-" in tab.run("location.hash")


def test_a_filter_without_hits_says_so_and_offers_a_way_back(tab):
    assert tab.run("document.querySelector('.nothing').hidden")
    fill(tab, "[data-filter=text]", "no such model")
    assert not tab.run("document.querySelector('.nothing').hidden")
    click(tab, "[data-all-rows]")
    assert tab.run("document.querySelector('.nothing').hidden") and len(tab.run(NAMES)) == 5


COPIES = """(() => {
  window.copies = [];
  Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => copies.push(text) } });
})()"""


def test_tables_and_commands_are_copied_as_they_are_shown(tab):
    tab.run(COPIES)
    fill(tab, "[data-filter=text]", "β=10")
    for kind in ("csv", "markdown", "latex"):
        click(tab, f"[data-copy={kind}]")
    click(tab, ".command .copy")
    table, marked, tex, command = tab.run("copies")
    assert table.startswith("configuration,") and "\nbeta_vae β=10," in table and len(table.splitlines()) == 2
    assert marked.splitlines()[1].startswith("| --- |") and "| beta_vae β=10 |" in marked
    assert tex.startswith("\\begin{tabular}{l") and "beta\\_vae $\\beta$=10 & " in tex and "$\\pm$" in tex
    assert command.startswith("benchmark run quickstart --only model=")


def test_copies_say_what_numbers_may_be_compared_with(tab):
    """Marks, the kinds of rows, which way is better, and of how many seeds: without them two rankings look like one."""
    tab.run(COPIES)
    for kind in ("csv", "markdown", "latex"):
        click(tab, f"[data-copy={kind}]")
    table, marked, tex = tab.run("copies")
    head, *rows = csv.reader(io.StringIO(table))
    kinds = dict(row[:2] for row in rows)
    assert kinds["factor_vae γ=10 (sees labels)"] == "labelled" and kinds["noise"] == "references"
    assert kinds["vae"] == "trained" and {"MIG ↑", "reconstruction ↓"} <= set(head)
    assert next(row for row in rows if row[0] == "vae")[head.index("MIG ↑")].endswith(" (1 of 2)")
    assert len({line.count("|") for line in marked.splitlines()}) == 1
    firsts = [line.split(" | ")[0] for line in marked.splitlines()]
    assert firsts.index("| *References*") == len(firsts) - 3
    assert firsts[-5:-3] == ["| *Trained on labels, not ranked with the rest*", "| factor_vae γ=10 (sees labels)"]
    assert f"\\multicolumn{{{len(head) - 1}}}{{l}}{{\\emph{{References}}}} \\\\" in tex and "MIG $\\uparrow$" in tex


def test_a_phone_shows_the_first_score_whole(tab, page):
    tab.open(page, width=390, height=844, phone=True)
    cell = "document.querySelector('#data-0-0 .trained td:not(.rank, .seeds)').getBoundingClientRect()"
    name = "document.querySelector('#data-0-0 .trained th').getBoundingClientRect()"
    assert tab.run(f"{cell}.left >= {name}.right - 1 && {cell}.right <= 390")


def test_the_heads_stay_in_sight(tab):
    tab.run("document.querySelector('#data-0-0').closest('.scroll').style.maxHeight = '200px'")
    tab.run("document.querySelector('#data-0-0').closest('.scroll').scrollTop = 150")
    top = "getBoundingClientRect().top"
    scroll = tab.run(f"document.querySelector('#data-0-0').closest('.scroll').{top}")
    assert abs(tab.run(f"document.querySelector('#data-0-0 thead').{top}") - scroll) < 2


def test_the_finding_is_what_the_strip_says_aloud(tab):
    said = tab.run("document.querySelector('.finding p').textContent")
    assert (
        said.startswith("shapes: ") and tab.run("document.querySelector('.strip').getAttribute('aria-label')") == said
    )
    assert tab.run("document.querySelectorAll('.strip circle title, .strip g title').length") >= 4


def test_a_pointer_on_a_chart_reads_the_value_there(tab):
    """A real pointer, moved to the first spot and then away from all."""
    chart = "document.querySelector('.trade-off [data-spots]')"
    tab.run(f"{chart}.closest('details').open = true; {chart}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    told = json.loads(tab.run(f"{chart}.dataset.spots"))
    left, top, name, text = told["rows"][0]
    box = tab.run(f"(({{left, top, width, height}}) => [left, top, width, height])({chart}.getBoundingClientRect())")
    at = {"x": box[0] + left / 1e4 * box[2], "y": box[1] + top / 1e4 * box[3]}
    tab.send("Input.dispatchMouseEvent", type="mouseMoved", **at)
    label = "document.querySelector('.trade-off .value')"
    assert tab.run(f"{label}.hidden") is False
    shown = tab.run(f"{label}.textContent")
    names = {(told["names"][row[2]], row[3]) for row in told["rows"]}
    assert tuple(shown.split(": ", 1)) in names and (told["names"][name], text) in names
    tab.send("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + 1, y=box[1] + box[3] - 1)
    assert tab.run(f"{label}.hidden") is True


def test_a_tap_on_a_phone_reads_a_value_too(tab, page):
    tab.open(page, width=390, height=844, phone=True)
    chart = "document.querySelector('.trade-off [data-spots]')"
    tab.run(f"{chart}.closest('details').open = true; {chart}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    left, top, *_ = json.loads(tab.run(f"{chart}.dataset.spots"))["rows"][0]
    at = tab.run(
        f"(({{left, top, width, height}}) => ({{x: left + {left} / 1e4 * width, y: top + {top} / 1e4 * height}}))"
        f"({chart}.getBoundingClientRect())"
    )
    for kind, touched in (("touchStart", [at]), ("touchEnd", [])):
        tab.send("Input.dispatchTouchEvent", type=kind, touchPoints=touched)
    label = "document.querySelector('.trade-off .value')"
    assert tab.run(f"{label}?.hidden") is False
    tab.run("document.querySelector('h1').dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}))")
    assert tab.run(f"{label}.hidden") is True


def test_a_title_on_a_chart_has_the_card_of_its_score(tab):
    word = "document.querySelector('.trade-off .word')"
    tab.run(f"{word}.closest('details').open = true; {word}.focus()")
    card = f"document.getElementById({word}.getAttribute('aria-describedby'))"
    assert tab.run(f"{card}.hidden") is False
    title = tab.run(f"{card}.querySelector('b').textContent")
    assert tab.run(f"{word}.ariaLabel") == f"What {title} is"
    tab.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
    assert tab.run(f"{card}.hidden") is True
