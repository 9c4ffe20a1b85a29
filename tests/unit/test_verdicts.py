"""How verdicts are written: counts, JSON, JUnit XML, and a summary for a pull request."""

import json
from dataclasses import replace
from xml.etree import ElementTree

from markdown_it import MarkdownIt
from test_regression import DECLARATIONS, moved, two  # noqa: F401

from leaderboard.regression import RULE, check
from leaderboard.verdicts import alone, as_json, as_junit, as_markdown, counts, together


def test_writers(two):  # noqa: F811
    verdicts = check(moved(two[two["model"] != "vae"], "mig", -0.2), two, DECLARATIONS)
    number = counts(verdicts)
    assert number["worse"] == 4
    assert number["worse"] == 4
    failures = sum(v.verdict == "worse" for v in verdicts)
    silent = sum(v.cannot_fail and v.verdict == "same" for v in verdicts)
    assert failures > 4 and silent, "some together, and some that cannot fail alone"
    root = ElementTree.fromstring(as_junit(verdicts, "suite"))
    assert (int(root.attrib["tests"]), int(root.attrib["failures"])) == (len(verdicts), failures)
    assert len(root.findall("testcase/failure")) == failures
    skipped = [case.attrib["message"] for case in root.findall("testcase/skipped")]
    assert len(skipped) == int(root.attrib["skipped"]) == number["missing"] + silent
    assert sum("cannot fail alone at 2 seeds" in message for message in skipped) == silent
    found = json.loads(as_json(verdicts))
    assert found["counts"] == number and found["together"] == together(verdicts)


def rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_the_summary_says_what_got_worse_first(two):  # noqa: F811
    now = moved(moved(two[two["model"] != "noise"], "mig", -0.2), "reconstruction", -80, "pca")
    verdicts = check(now, two[two["model"] != "perfect"], DECLARATIONS)
    number = counts(verdicts)
    assert all(number.values()), "one of each"
    text = as_markdown(verdicts, "suite", RULE)
    assert f"`suite`: {number['worse']} of {len(alone(verdicts))} scores" in text.splitlines()[0]
    assert f"{number['cannot_fail']} of {len(alone(verdicts))} scores cannot fail alone at 2 seeds" in text
    titles = ["#### Worse together", "#### Worse\n", "#### Better", "#### Missing", "#### New", "<summary>The same"]
    assert [text.index(title) for title in titles] == sorted(text.index(title) for title in titles)
    assert text.count("| score |") == 5
    html = rendered(text)
    assert html.count("<table>") == 6 and "| ---" not in html
    sets = sum(v.level != "score" and v.verdict == "worse" for v in verdicts)
    rows = 6 + sets + len(alone(verdicts)) - (number["same"] - 50)
    assert html.count("<tr>") == rows, "the fifty nearest of the same"
    assert "nothing is worse" in as_markdown(check(two, two, DECLARATIONS), "suite")


def test_the_summary_fits_a_comment_whatever_it_is_of(two):  # noqa: F811
    nasty = replace(check(two, two, DECLARATIONS)[0], note="a|b <script> `x` *y* _z_ @someone #1\nend")
    told = [replace(nasty, verdict=name) for name in ("worse", "better", "missing", "new", "same") for _ in range(500)]
    told += [replace(nasty, absent=1)] * 500
    text = as_markdown(told, "suite", RULE)
    assert len(text) < 65_536
    assert text.count("and 450 more") == 5
    html = rendered(text)
    assert html.count("<tr>") == 6 + 6 * 50
    assert "<td>a|b &lt;script&gt; `x` *y* _z_ @<!-- -->someone #<!-- -->1 end</td>" in html
    ElementTree.fromstring(as_junit([replace(nasty, note="a \x1b[31mred\x00 reason")], "suite"))
