"""Pages and sites that are made of archives alone, and archives' rows beside codes of one's own.

The archive is made by the commands of CONTRIBUTING, on a suite of digits.
"""

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import command as run_command
from command import sentence, succeed
from forged_archive import forge
from test_contributing import TEXT

from benchmark import load_results
from benchmark.archive.manifest import read_manifest
from benchmark.datasets.digits import Digits
from benchmark.documentation import agreement, publications
from benchmark.integrity.sealed import render, sealed
from benchmark.verbs.site import _newest, site
from benchmark.verbs.verify import verify
from leaderboard.site import Listed

EXAMPLES = Path(__file__).parents[1] / "end_to_end" / "examples"
SUITE = """\
description = "digits, for a test"
seeds = 2

[training]
steps = 40
batch = 16

[evaluation]
metrics = ["explicitness(train=100, test=100)", "active_units", "mcc"]

[[block]]
dataset = "digits"
network = { name = "mlp_tiny", hidden = 8 }
model = ["ae", "my_vae"]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with my_submission.zip and its page, by the commands of CONTRIBUTING, and `kept`, a published version.
    Not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "my_suite.toml").write_text(SUITE)
    shutil.copy(EXAMPLES / "my_vae.py", folder)
    block = next(text for text in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) if "submit" in text)
    for line in block.splitlines():
        words = line.split()[1:]
        succeed(folder, *words, *(("--jobs", "0") if words[0] in ("run", "evaluate", "report") else ()))
    plugin = ("--plugin", "my_vae.py")
    succeed(folder, "publish", "my_suite.toml", "--as", "archive", "--to", "kept", *plugin)
    return folder


@pytest.fixture(scope="module")
def alone(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published archive without the results that it was made of. Not to be changed."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copytree(made / "kept", folder / "kept")
    shutil.copy(made / "my_vae.py", folder)
    return folder


def test_a_page_is_made_of_the_archive_alone_with_explorers_and_traversals(made):
    page = (made / "my_suite-submission.html").read_text()
    assert page.count('<details class="explorer">') == 2
    assert page.count('<figure class="traversals') == 2
    assert "Made of a submission to my_suite alone" in page
    assert "Not drawn for this reason: reconstructions, samples" in page
    assert page.count('<figure class="codes-by-factors') == 2
    assert "What half precision moves" in page
    assert 'class="curves"' in page
    assert "the run folder is not here" not in page


def test_an_archive_has_its_leaderboards_as_text(alone):
    told = succeed(alone, "report", "kept/my_suite", "--format", "markdown", "--plugin", "my_vae.py").stdout
    assert "| ae " in told
    assert r"| my\_vae " in told


def test_an_archive_has_its_figures_and_the_numbers_of_its_matrices_as_files(alone, scored_matrices, tmp_path):
    there = str(alone / "kept" / "my_suite")
    plugin = ("--plugin", str(alone / "my_vae.py"))
    told = succeed(tmp_path, "report", there, "--figures", "svg", "--jobs", "0", *plugin)
    assert told.stdout.split() == ["my_suite-1.html", "my_suite-1-figures"]
    written = {path.name for path in (tmp_path / "my_suite-1-figures").iterdir()}
    assert {"digits-ae-codes-by-factors.png", "digits-ae-traversals.png", "matrices.csv"} <= written
    numbers = pd.read_csv(tmp_path / "my_suite-1-figures" / "matrices.csv").sort_values(SORTED, ignore_index=True)
    pd.testing.assert_frame_equal(numbers, scored_matrices(set(numbers["run_id"])), check_like=True)
    assert set(numbers["model"]) == {"ae", "my_vae"}


def test_another_network_under_the_right_name_is_found(alone, tmp_path):
    """The weights say that they are of the run, and the digests fit: only the codes of the explorer's images do not."""
    from safetensors.numpy import load, save

    folder = tmp_path / "my_suite" / "1"
    shutil.copytree(alone / "kept" / "my_suite" / "1", folder)
    [config_id] = load_results(folder).query("model == 'ae'")["config_id"].unique()
    path = folder / "weights" / f"{config_id}.safetensors"
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    other = {name: array[::-1].copy() for name, array in load(content).items()}
    forge(folder, f"weights/{path.name}", save(other, metadata=header))
    findings = verify(str(folder)).findings
    assert [line for line in findings if "is another network than that of" in line], findings


SORTED = ["run_id", "protocol", "code", "factor"]


@pytest.fixture(scope="module")
def scored_matrices(made: Path) -> Callable[[set[str]], pd.DataFrame]:
    """The matrices of some runs as they lie beside their scores."""
    from benchmark.stages.matrices import matrices_of

    def read(run_ids: set[str]) -> pd.DataFrame:
        folders = (path.parent for path in (made / "results" / "runs").glob("*/*/*/*/run.json"))
        own = [path for path in folders if f"{path.parent.name}-{path.name}" in run_ids]
        frame = pd.concat([each.long() for path in own for each in matrices_of(path)], ignore_index=True)
        frame = frame[frame["representation"] == "mean"]
        return frame.sort_values(SORTED, ignore_index=True)

    return read


def own_codes(folder: Path, rows: slice = slice(None)) -> Path:
    data = Digits(Digits.Settings()).load()
    chosen = data.evaluation_rows[rows]
    factors = data.factors[chosen]
    codes = np.random.default_rng(0).normal(0, 1, (len(factors), 3)) + factors
    np.savez(folder / "mine.npz", codes=codes, factors=factors, factor_names=list(data.factor_names))
    return folder / "mine.npz"


def test_codes_of_ones_own_stand_beside_an_archive(alone, tmp_path):
    own_codes(tmp_path)
    there = str(alone / "kept" / "my_suite")
    told = succeed(tmp_path, "evaluate", "--codes", "mine.npz", "--beside", there, "--jobs", "0")
    assert "beside my_suite/1: mean, place among its configurations, the best of them" in told.stdout
    line = next(line for line in told.stdout.splitlines() if line.startswith("  explicitness ") and " of 3 " in line)
    published = load_results(there).query("metric == 'explicitness' and representation == 'mean'")
    protocol = set(published["protocol"])
    assert {line.split()[-1]} == protocol  # scored as the archive was, with nothing said
    assert f"next: benchmark report mine --beside {there}" in told.stderr
    succeed(tmp_path, "report", "mine", "--beside", there, "--jobs", "0")
    page = (tmp_path / "results" / "suites" / "mine" / "index.html").read_text()
    assert "4 runs marked “from my_suite/1” were published there and not made here." in page
    assert page.count("<small>from my_suite/1</small>") >= 2
    text = succeed(tmp_path, "report", "mine", "--beside", there, "--format", "csv").stdout
    assert "my_vae" in text
    assert "mine" in text
    own = pd.read_parquet(tmp_path / "results" / "suites" / "mine" / "results.parquet")
    assert set(own["model"]) == {"mine"}  # what is stored is one's own alone
    assert "WRONG" not in succeed(tmp_path, "verify").stdout


def test_what_stands_beside_nothing_says_why(alone, tmp_path):
    there = str(alone / "kept" / "my_suite")
    own_codes(tmp_path, slice(0, 300))
    told = sentence(run_command(tmp_path, "evaluate", "--codes", "mine.npz", "--beside", there), 2)
    assert "digits: 300 codes for 360 points" in told
    assert not (tmp_path / "results").exists()
    own_codes(tmp_path)
    succeed(tmp_path, "evaluate", "--codes", "mine.npz", "--metrics", "active_units", "--jobs", "0")
    told = sentence(run_command(tmp_path, "report", "mine", "--beside", there), 2)
    assert "my_suite/1 has no run on the same data: there digits, here external; codes join its data by" in told
    chosen = ("--metrics", "explicitness(train=50, test=50)", "--name", "other", "--jobs", "0")
    told = succeed(tmp_path, "evaluate", "--codes", "mine.npz", "--beside", there, *chosen).stdout
    assert re.search(r"alone: explicitness/\S*train50\S*: there explicitness/\S*train100", told)


class Fetched(HTMLParser):
    """What a page loads: not where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = re.findall(r"url\(\s*['\"]?([^)'\"]+)", text) + re.findall(r"@import\s+\S+", text)
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loads = {"src", "srcset", "data", "poster"} | ({"href"} if tag in ("link", "use", "image") else set())
        self.addresses += [value for name, value in attrs if name in loads and value]


def test_a_site_has_an_index_pages_and_tables_and_loads_nothing_from_elsewhere(alone, tmp_path):
    source = tmp_path / "published"
    place = source / "my_suite" / "2"
    for version in ("1", "2"):
        shutil.copytree(alone / "kept" / "my_suite" / "1", source / "my_suite" / version)
    record = json.loads((place / "archive.json").read_bytes())
    (place / "archive.json").write_text(render(sealed(record | {"version": 2, "corrects": "a label"})))
    told = succeed(tmp_path, "site", "--to", "public", "--from", str(source), "--jobs", "0")
    assert told.stdout.strip() == "public/index.html"
    public = tmp_path / "public"
    index = (public / "index.html").read_text()
    assert "Corrects the version before: a label." in index
    assert '<a href="my_suite/2/index.html#data-0">digits</a>' in index
    assert index.count('<svg class="strip"') == 1
    pages = {path: path.read_text() for path in public.rglob("*.html")}
    for page, text in pages.items():
        for link in re.findall(r'href="([^"#]+)', text):
            assert (page.parent / link).is_file(), link
    first, second = (pages[public / "my_suite" / version / "index.html"] for version in ("1", "2"))
    assert 'A newer version is there: <a href="../2/index.html">my_suite/2</a>.' in first
    assert '<a href="../1/index.html">my_suite/1</a>, my_suite/2 (this page).' in second
    assert "A newer version" not in second
    for path in public.rglob("*.html"):
        addresses = Fetched(path.read_text()).addresses
        assert [each for each in addresses if not each.startswith(("data:", "#"))] == [], path
        assert "default-src 'none'" in path.read_text()
    published = load_results(public / "my_suite" / "2")
    csv = pd.read_csv(public / "my_suite" / "2" / "scores.csv")
    np.testing.assert_allclose(csv["value"], published["value"])
    assert read_manifest((public / "my_suite" / "2" / "archive.json").read_bytes(), "it").version == 2


def test_the_documentation_has_the_leaderboards_beside_its_pages(alone, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHMARK_JOBS", "0")
    docs = tmp_path / "docs"
    docs.mkdir()
    source = tmp_path / "kept"
    shutil.copytree(alone / "kept", source)
    (source / "equivalence.csv").write_text("model,score,difference,low,high,margin,verdict\nvae,mig,0.5,0,1,2,equal\n")
    publications.write(docs, source)
    said = publications.leaderboards(source) + publications.plain(source)
    assert (
        "digits, for a test" in said and "None is archived" not in said and "| vae | mig | 0 | 1 | 2 | equal |" in said
    )
    links = re.findall(r"\]\(([^)]+)\)", said)
    assert set(links) == {
        "leaderboards/index.html", "leaderboards/my_suite/1/index.html", "published/equivalence.csv",
    }  # fmt: skip
    for link in links:
        assert (docs / link).is_file(), link
    assert list(agreement.agreements(source)) == [], "two models are too few"


def test_a_site_takes_the_place_of_nothing_else(alone, tmp_path):
    from benchmark.errors import UsageError

    with pytest.raises(UsageError, match="holds no archive"):
        site(tmp_path / "public", source=tmp_path)
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match="no site of this program"):
        site(tmp_path / "public", source=alone / "kept")
    assert (tmp_path / "public" / "thesis.txt").read_text() == "precious"


def test_the_index_shows_the_newest_version_and_leads_to_those_before():
    def board(version: int) -> Listed:
        return Listed("x", f"x/{version}", f"x/{version}/", "", "", "", [], [])

    [newest, other] = _newest([board(2), Listed("y", "y/1", "y/1/", "", "", "", [], []), board(10), board(1)])
    assert (newest.title, newest.earlier) == ("x/10", {"x/2/": "x/2", "x/1/": "x/1"})
    assert (other.title, other.earlier) == ("y/1", {})


def test_a_fetched_address_would_be_found():
    text = '<img src="https://a.b/c.png"><a href="https://fine"></a><style>x { background: url(http://d) }</style>'
    assert Fetched(text).addresses == ["http://d", "https://a.b/c.png"]


def test_a_site_shows_no_page_that_came_with_an_archive(alone, tmp_path):
    from benchmark.errors import UsageError

    shutil.copytree(alone / "kept", tmp_path / "kept")
    forge(tmp_path / "kept" / "my_suite" / "1", "notes.html", b"<script>alert(1)</script>")
    with pytest.raises(UsageError, match=r"my_suite/1 lists notes\.html, which is no file that an archive has"):
        site(tmp_path / "public", source=tmp_path / "kept")
    assert not (tmp_path / "public").exists()
