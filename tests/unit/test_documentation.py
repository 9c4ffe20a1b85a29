"""The documentation: made pages say what the code says, tutorials print what they print, links lead somewhere."""

from __future__ import annotations

import functools
import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command

from benchmark import __version__, published, registry
from benchmark.cli import app
from benchmark.documentation import agreement, components, floors, interface, portraits, publications, tutorials, warm
from benchmark.documentation.prose import escaped, markdown
from benchmark.documentation.site import KINDS, MADE, PAGES, TUTORIALS, build, configuration, filled
from benchmark.errors import BenchmarkError
from benchmark.suite import expand

ROOT = Path(__file__).parents[2]
TEXTS = {str(path.relative_to(PAGES)): path.read_text() for path in sorted(PAGES.rglob("*.md"))}
FOLDERS = {components.folder(kind): kind for kind in KINDS}


def test_prose_keeps_signs_and_sets_formulas_apart() -> None:
    text = "The gap of a_b and c*d.\n\n    Σ_k I(z; v_k)\n\nmore `x_y`\nBlind to [all] of it."
    assert markdown(text) == (
        "The gap of a\\_b and c\\*d.\n\n    Σ_k I(z; v_k)\n\nmore `x_y`\n\nBlind to \\[all\\] of it."
    )
    assert markdown("a_b, c: text\n    and more\nd: x\n\nTo say: this.") == (
        "* **a\\_b, c**: text and more\n\n* **d**: x\n\nTo say: this."
    )
    assert escaped("<script>") == "\\<script\\>"


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_has_a_page_and_is_listed(kind: registry.Kind) -> None:
    listed = components.index(kind)
    for name in registry.names(kind):
        page = components.page(kind, name)
        assert f"[`{name}`]({name}.md)" in listed and page.startswith(f"# {name}\n") and len(page) > 100
    assert len(registry.names(kind)) > 4


def test_a_measures_page_says_floors_settings_sources_and_what_it_is_blind_to() -> None:
    page = components.page("metric", "mig", "PICTURE")
    for words in (
        "PICTURE",
        "rotated 0.1",
        "| `bins` | `20` |",
        "\nBlind to a code that holds",
        "Chen et al. 2018: R.",
    ):
        assert words in page, words


def test_the_table_of_rotations_is_the_published_one() -> None:
    lines = floors.rotation().splitlines()
    kept = [float(line.rstrip(" |").rpartition("| ")[2].rstrip("%")) for line in lines[2:]]
    assert kept == sorted(kept) and len(kept) > 12
    (mig,) = (line for line in lines if "[`mig`]" in line)
    assert "| 0.90 | 0.11 | 0.00 |" in mig or "| 0.89 | 0.11 | 0.00 |" in mig
    (beta,) = (line for line in lines if "[`beta_vae_score`]" in line)
    assert lines.index(mig) < lines.index(beta), "the β-VAE score hardly sees a rotation"


def planted_summary(folder: Path) -> None:
    """Twelve configurations: DCI orders them like MIG, SAP the other way round, and KL, the less the better, likewise.

    Beside them two that count for nothing: a reference and a model that sees labels, which are out of order.
    """
    scores = {"mig": ("mig", 0.01), "dci": ("disentanglement", 0.02), "sap": ("sap", -0.01), "kl": ("kl", -3.0)}
    models = [("beta_vae", f"beta_vae β={i}", i) for i in range(12)]
    rows = [
        {"dataset": "dsprites", "metric": metric, "protocol": f"{metric}/x", "score": score, "budget": None}
        | {"representation": "mean", "model": model, "label": label, "status": "ok", "runs": 3, "mean": at * slope}
        for metric, (score, slope) in scores.items()
        for model, label, at in [*models, ("rotated", "rotated", -5), ("siamese", "siamese", 7.5 * (metric != "mig"))]
    ]
    pd.DataFrame(rows).to_csv(folder / "mushom-summary.csv", index=False)


def test_measures_agree_where_they_order_models_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted_summary(tmp_path)
    (found,) = agreement.agreements(tmp_path)
    assert (found.suite, found.configurations, found.seeds) == ("mushom", 12, 3)
    assert found.of("mig", "dci") == found.of("dci", "mig") == (1, 1, 1) and found.of("sap", "mig") == (-1, -1, -1)
    kl = registry.load("metric", "kl").declaration.higher_is_better
    assert kl is None and "kl" not in found.supervised, "a score of which neither is better agrees with none"
    monkeypatch.setattr("benchmark.published.folder", lambda: tmp_path)
    rows = agreement.closest_and_farthest().splitlines()
    assert rows[0].startswith("12 configurations of models on `dsprites`, the means of 3 seeds each")
    (mig,) = (row for row in rows if row.startswith("| [`mig`]"))
    assert "| [`dci.disentanglement`](measures/dci.md) 1.00 [1.00, 1.00] | [`sap`](measures/sap.md) −1.00" in mig


def test_too_few_models_say_nothing_of_agreement(tmp_path: Path) -> None:
    planted_summary(tmp_path)
    path = tmp_path / "mushom-summary.csv"
    frame = pd.read_csv(path)
    frame[~frame["label"].isin([f"beta_vae β={i}" for i in (0, 1, 2)])].to_csv(path, index=False)
    assert list(agreement.agreements(tmp_path)) == []


def test_what_is_published_is_what_agreement_is_computed_from() -> None:
    found = {(each.suite, each.dataset): each for each in agreement.agreements(published.folder())}
    rmig = found["mushom-mini", "dsprites"].of("mig", "rmig")
    assert rmig is not None and rmig.low is not None and rmig.low > 0.8
    assert "udr" in agreement.without_factors()


def test_every_published_file_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = published.folder()
    listed = publications.leaderboards(folder) + publications.summaries(folder) + publications.plain(folder)
    monkeypatch.setattr(publications, "newest", lambda folder: {})
    publications.write(tmp_path, folder)
    links = set(re.findall(r"\]\(published/([^)]+)\)", listed))
    assert links == {path.name for path in (tmp_path / "published").iterdir()} and len(links) > 15
    assert "None is archived yet" in publications.leaderboards(published.folder())


def test_pictures_are_told_of_every_version() -> None:
    assert [text for text in publications.PICTURES.values() if re.search(r"/\d", text)] == []


def test_a_published_file_that_nothing_describes_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "surprise.csv").write_text("a\n1\n")
    (tmp_path / "docs").mkdir()
    with pytest.raises(BenchmarkError, match=r"surprise\.csv is published and undescribed"):
        publications.write(tmp_path / "docs", tmp_path / "kept")


def test_places_of_pages_are_filled_by_name() -> None:
    named = {name for text in TEXTS.values() for name in re.findall("<!-- (.*?) -->", text)}
    assert named == set(MADE)
    assert "| kept |" in filled("<!-- rotation -->", "here")
    with pytest.raises(BenchmarkError, match="here: nothing is made for <!-- rotations -->"):
        filled("<!-- rotations -->", "here")


def test_portraits_are_of_headline_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """EDI returns what codes say of factors at all before how exclusively they do."""
    rows = {
        "metric": "edi",
        "score": ["edi_explicitness", "edi_modularity"],
        "value": [1.0, 0.2],
        "factor": None,
        "status": "ok",
    }
    monkeypatch.setattr("benchmark.verbs.score.score", lambda *_, **__: pd.DataFrame(rows))
    assert set(portraits.scores().loc["edi"]) == {0.2}


def test_portraits_show_what_measures_see(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    codes = portraits.examples()
    from benchmark import score

    found = {name: score(z, portraits.factors(), "mig,mcc", quiet=True) for name, z in codes.items()}
    values = {name: frame.loc[frame["factor"].isna()].set_index("score")["value"] for name, frame in found.items()}
    mig = {name: float(each["mig"]) for name, each in values.items()}
    assert mig["perfect"] > 0.9 > 0.5 > mig["rotated"] > mig["noise"] and mig["each twice"] < 0.01
    portraits.portrait(mig, "mig", tmp_path / "a" / "mig.svg")
    assert (tmp_path / "a" / "mig.svg").read_text().count("<path") > 6
    assert "perfect 1" in portraits.words({"perfect": 1.0})


def test_the_interface_has_all_that_can_be_imported() -> None:
    import benchmark

    page = interface.page()
    for name in benchmark.__all__:
        assert name.startswith("_") or f"\n## {name}\n" in page
    assert "```python\nscore(\n    codes: Any,\n" in page


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with warm.server() as found:
        yield found


def test_a_tutorial_shows_what_its_blocks_print(tmp_path: Path, address: str) -> None:
    text = (
        '```python title="a.py"\nprint(6 * 7)\n```\n```sh\npython a.py\n```\n'
        "```console\nnot run\n```\n```sh exit=3\necho three; exit 3\n```\n```python\npass\n```\n"
    )
    played = tutorials.played(text, tmp_path / "new", "here", address)
    assert played.count('```text title="prints"\n') == 2
    assert '\n```text title="prints"\n42\n```\n' in played and "\nthree\n" in played


def test_commands_of_a_tutorial_are_processes_of_their_own(tmp_path: Path, address: str) -> None:
    """Pipes, exit codes and folders are the shell's; nothing that one block does reaches the next."""
    text = (
        "```sh exit=2\nmkdir -p in && cd in && benchmark run nothing.toml 2>&1 | tee said | wc -l\n```\n"
        "```sh\ncat in/said; benchmark --version && benchmark list models | grep -c vae\n```\n"
        '```python\nimport os, pathlib\nos.environ["HERE"] = "1"\nprint(pathlib.Path.cwd(), __name__)\n```\n'
        '```python\nimport os, torch\nprint("HERE" in os.environ, torch.get_num_threads())\n```\n'
    )
    played = tutorials.played(text, tmp_path / "new", "here", address)
    prints = re.findall(r'```text title="prints"\n(.*?)\n```', played, re.DOTALL)
    models = sum("vae" in name for name in registry.names("model"))
    assert prints[0] == "1" and prints[2:] == [". __main__", "False 1"]
    error, version, listed = prints[1].splitlines()
    assert "nothing.toml" in error and version == f"benchmark {__version__}" and int(listed) >= models


@pytest.mark.parametrize("block", ["```sh\nexit 1\n```\n", "```sh exit=3\ntrue\n```\n", "```python\n1 / 0\n```\n"])
def test_a_tutorial_that_ends_otherwise_is_an_error(tmp_path: Path, block: str, address: str) -> None:
    with pytest.raises(BenchmarkError, match="here: a block ended with"):
        tutorials.played(block, tmp_path, "here", address)


def test_long_output_is_cut_and_says_so(tmp_path: Path, address: str) -> None:
    played = tutorials.played("```sh\nseq 100\n```\n", tmp_path, "here", address)
    assert "… 61 more lines" in played and "\n39\n" in played and "\n40\n" not in played


def test_every_kind_has_its_pages() -> None:
    assert set(KINDS) == set(registry.KINDS)


def test_every_tutorial_is_listed() -> None:
    assert {f"tutorials/{name}.md" for name in TUTORIALS} == {name for name in TEXTS if "/" in name}


def test_every_link_between_pages_leads_somewhere() -> None:
    seen = 0
    for page, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            path = (PAGES / page).parent / target
            folder = path.parent.name
            made = (
                path.name == "index.md" or path.stem in registry.names(FOLDERS[folder]) if folder in FOLDERS else False
            )
            assert made or path.exists(), f"{page}: {target}"
            seen += 1
    assert seen > 30


def test_every_verb_that_a_page_names_exists() -> None:
    verbs = set(get_command(app).commands)  # type: ignore[attr-defined]
    for page, text in TEXTS.items():
        named = set(re.findall(r"(?:`|\n)(?:\.venv/bin/)?benchmark (\w+)", text))
        assert named <= verbs, (page, named - verbs)


def test_every_suite_that_a_page_shows_expands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_plugins", {})
    for text in TEXTS.values():
        for name, content in re.findall(r'```python title="(m\w+\.py)"\n(.*?)```', text, re.DOTALL):
            (tmp_path / name).write_text(content)
            registry.add_plugin(tmp_path / name)
    suites = [
        block for text in TEXTS.values() for block in re.findall(r"```toml[^\n]*\n(.*?)```", text, re.DOTALL)
        if "[[block]]" in block
    ]  # fmt: skip
    assert len(suites) == 5
    for index, text in enumerate(suites):
        path = tmp_path / f"suite{index}.toml"
        path.write_text(text)
        assert expand(str(path)).runs


def test_the_model_that_is_shown_is_the_tested_example() -> None:
    assert (ROOT / "tests/end_to_end/examples/my_vae.py").read_text() in TEXTS["tutorials/add-a-model.md"]


def test_the_site_is_built_whole_and_loads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without tutorials, portraits and leaderboards, which take minutes; a broken link would end it.

    Leaderboards are laid beside the pages by test_archive_pages.py.
    """
    monkeypatch.setattr(portraits, "scores", lambda: pd.DataFrame({"perfect": [1.0]}, index=["mig"]))
    plain = tmp_path / "plain"
    plain.mkdir()
    for path in published.folder().iterdir():
        if path.is_file():
            shutil.copy(path, plain)
    monkeypatch.setattr("benchmark.published.folder", lambda: plain)
    index = build(tmp_path / "site", play=False)
    pages = [path for path in index.parent.rglob("*.html") if path.name != "404.html"]
    assert len(pages) > 150
    for path in pages:
        loaded = re.findall(r'<(?:script|img|iframe)[^>]*\bsrc="(https?:[^"]*)"', path.read_text())
        loaded += re.findall(r'<link[^>]*rel="(?:stylesheet|preconnect)"[^>]*href="(https?:[^"]*)"', path.read_text())
        assert not loaded, (path, loaded)
    assert broken(pages) == []
    (pages[0].parent / "planted.html").write_text('<a href="gone.html">x</a><a href="index.html#gone">y</a>')
    assert [target for _, target in broken([pages[0].parent / "planted.html"])] == ["gone.html", "index.html#gone"]


def broken(pages: list[Path]) -> list[tuple[Path, str]]:
    """The links of built pages that lead to no file, or to no place in one."""
    places = functools.cache(lambda path: set(re.findall(r'\b(?:id|name)="([^"]+)"', path.read_text())))
    found = []
    for page in pages:
        for target in re.findall(r'<(?:a|link|img|script)\b[^>]*?\b(?:href|src)="([^"]+)"', page.read_text()):
            address, _, place = html.unescape(target).partition("#")
            if address.startswith(("https:", "http:", "mailto:", "data:")):
                continue
            path = (page.parent / address) if address else page
            if not path.is_file() or (place and path.suffix == ".html" and place not in places(path)):
                found.append((page, target))
    return found


def test_a_broken_link_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def broken(docs: Path, *, play: bool) -> None:
        write_nothing(docs)
        (docs / "index.md").write_text("[gone](nowhere.md)\n")

    monkeypatch.setattr("benchmark.documentation.site.write_pages", broken)
    with pytest.raises(BenchmarkError, match=r"nowhere\.md"):
        build(tmp_path / "site", play=False)


def write_nothing(docs: Path) -> None:
    """Every page that the list names, empty."""

    def names(nav: object) -> list[str]:
        if isinstance(nav, str):
            return [nav]
        each = nav.values() if isinstance(nav, dict) else nav
        return [name for one in each for name in names(one)]  # type: ignore[attr-defined]

    for name in names(configuration(docs, docs)["nav"]):
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text("# Empty\n")
