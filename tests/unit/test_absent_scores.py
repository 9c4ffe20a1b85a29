"""What a saved table has and the new results have not: told from what nobody asked for."""

from dataclasses import replace

import pandas as pd
from test_regression import DECLARATIONS, moved, six, two  # noqa: F401

from leaderboard.regression import check
from leaderboard.verdicts import absent, alone, as_junit, as_markdown, summary


def planned(table: pd.DataFrame) -> pd.DataFrame:
    """What the runs of a table were asked for."""
    return table.drop_duplicates("run_id")


def gone(new: pd.DataFrame, reference: pd.DataFrame, asked: pd.DataFrame) -> dict[str, int]:
    """By configuration and score, of how many runs it was asked for and is not there."""
    verdicts = alone(check(new, reference, DECLARATIONS, planned=planned(asked)))
    return {f"{v.configuration}: {v.score}": v.absent for v in verdicts if v.absent}


def test_what_was_asked_for_and_is_not_there_is_told_from_what_left_the_suite(two):  # noqa: F811
    fewer = two[two["model"] != "vae"]
    assert set(gone(fewer, two, two).values()) == {2}
    assert all(name.startswith("vae: ") for name in gone(fewer, two, two))
    assert gone(fewer, two, fewer) == {}, "nobody asked for it"
    told = {v.note for v in check(fewer, two, DECLARATIONS, planned=planned(fewer)) if v.verdict == "missing"}
    assert told == {"the new table has no such score, nor was it asked for"}
    other = two.assign(protocol=two["protocol"].str.replace("bins20", "bins10"))
    assert {name.partition(": ")[2] for name in gone(other, two, two)} == {"mig"}, "another protocol"
    assert gone(two, two, two) == {}


def test_a_model_whose_settings_were_changed_is_told_from_one_that_left(two):  # noqa: F811
    """Its scores fall to nothing, and nobody would compare them."""
    rows = two["model"] == "vae"
    other = {"config_id": "other", "settings": two["settings"].str.replace('"resolution":64', '"resolution":32')}
    now = two.assign(**{name: two[name].where(~rows, to) for name, to in other.items()})
    now["value"] = now["value"].where(~rows, 0.0)
    verdicts = check(now, two, DECLARATIONS, planned=planned(now))
    told = [v for v in alone(verdicts) if v.configuration == "vae" and v.verdict == "missing"]
    assert told and all(v.other_settings for v in told)
    assert {v.note for v in told} == {"its model has other settings now, and is compared with nothing"}
    assert absent(verdicts) and "<failure" in as_junit(verdicts, "two")
    both = pd.concat([two, now[rows]])
    assert not absent(check(both, two, DECLARATIONS, planned=planned(both))), "another setting beside it"


def test_a_seed_that_was_asked_for_and_is_not_there_is_told(six):  # noqa: F811
    left_out = (six["model"] == "vae") & (six["seed"] == 5)
    assert set(gone(six[~left_out], six, six).values()) == {1}
    assert gone(six[six["seed"] < 5], six, six[six["seed"] < 5]) == {}, "fewer seeds may be asked for"
    verdicts = check(six[~left_out], six, DECLARATIONS, planned=planned(six))
    assert "not there any more: " in summary(verdicts) and "of some runs" in absent(verdicts)
    assert as_markdown(verdicts, "six").startswith("### benchmark check `six`: not there any more: ")
    assert "<failure" in as_junit(verdicts, "six")


def test_a_score_that_some_runs_lack_says_of_how_many_and_stands_apart(six):  # noqa: F811
    """The verdict on those that have it is "same", and would go under among all that are."""
    rows = (six["metric"] == "mig") & (six["model"] == "vae") & (six["representation"] == "mean")
    verdicts = check(six[~rows | (six["seed"] != 5)], six, DECLARATIONS, planned=planned(six))
    (one,) = [v for v in alone(verdicts) if v.absent]
    assert (one.verdict, one.note) == ("same", "1 of 6 runs have no score now")
    assert absent(verdicts) == "not there any more: 1 score of some runs"
    title, _, section = as_markdown(verdicts, "six").partition("#### Not there any more\n")
    assert title.startswith("### benchmark check `six`: not there any more: 1 score of some runs\n")
    listed, _, same = section.partition("<details>")
    assert listed.count("mig of vae") == 1 and "1 of 6 runs have no score now" in listed
    assert "no score now" not in same


def test_the_title_says_what_is_worse_and_what_is_gone(six):  # noqa: F811
    now = moved(six, "mig", -0.2, "perfect")
    lacking = (now["metric"] == "mig") & (now["model"] == "vae") & (now["seed"] == 5)
    text = as_markdown(check(now[~lacking], six, DECLARATIONS, planned=planned(six)), "six")
    title = text.splitlines()[0]
    assert " worse; not there any more: 2 scores of some runs" in title
    assert text.index("#### Worse\n") < text.index("#### Not there any more") < text.index("<details>")


def test_runs_that_failed_and_runs_that_are_gone_are_counted_together(six):  # noqa: F811
    rows = (six["metric"] == "mig") & (six["model"] == "vae")
    failed = six[~rows | (six["seed"] < 4) | ((six["seed"] == 4) & six["factor"].isna())].copy()
    failed.loc[rows & (six["seed"] == 4), ["value", "status", "reason"]] = [None, "failed", "it broke"]
    verdicts = check(failed, six, DECLARATIONS, planned=planned(six))
    own = [v for v in alone(verdicts) if v.metric == "mig" and v.model == "vae"]
    assert {v.absent for v in own} == {2}
    assert {v.note.rpartition("; ")[2] for v in own} == {"2 of 6 runs have no number now: it broke"}


def under(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table as it was when MIG's score had another name."""
    return table.assign(score=table["score"].where(table["score"] != "mig", name))


def test_a_headline_of_another_name_is_gone(two):  # noqa: F811
    """The reference's scores of the old name are no headline today, and must not leave the check in silence."""
    before = under("gap", two)
    verdicts = alone(check(two, before, DECLARATIONS, planned=planned(two)))
    missing = [v for v in verdicts if v.verdict == "missing"]
    assert {v.score for v in missing} == {"gap"} and {v.metric for v in missing} == {"mig"}
    new = {(v.config_id, v.representation) for v in verdicts if v.verdict == "new"}
    assert new == {(v.config_id, v.representation) for v in missing} and len(new) == len(missing)
    assert {v.absent for v in missing} == {2}
    assert {v.note for v in missing} == {"the headline is mig now, and the reference has none of that name"}
    means = {v.name.removeprefix("mig.gap"): v.reference_mean for v in missing}
    then = {
        v.name.removeprefix("mig"): v.reference_mean for v in alone(check(two, two, DECLARATIONS)) if v.metric == "mig"
    }
    assert means == then, "configurations have the labels that they have elsewhere"
    fewer = two[two["model"] != "vae"]
    unasked = [v for v in alone(check(fewer, before, DECLARATIONS)) if v.verdict == "missing" and v.score == "gap"]
    assert {v.absent for v in unasked if v.model == "vae"} == {0}


def test_another_headline_of_the_same_scores_is_told_too(two):  # noqa: F811
    """The old one is still computed: of a reference without the new one nothing could be compared."""
    both = pd.concat([two, under("gap", two[two["score"] == "mig"])])
    verdicts = alone(check(both, under("gap", two), DECLARATIONS, planned=planned(two)))
    assert {v.score for v in verdicts if v.absent} == {"gap"}
    assert not any(v.absent for v in alone(check(both, both, DECLARATIONS))), "there is a headline"


def test_a_measure_without_a_headline_on_both_sides_is_left_alone(two):  # noqa: F811
    """Some have none for some configurations."""
    lacking = two[(two["score"] != "mig") | (two["model"] != "vae")]
    named = pd.concat([lacking, under("gap", two[(two["score"] == "mig") & (two["model"] == "vae")])])
    assert {v.verdict for v in alone(check(named, named, DECLARATIONS))} == {"same"}


def test_a_renamed_headline_that_fails_now_is_worse(two):  # noqa: F811
    rows = (two["metric"] == "mig") & (two["model"] == "vae")
    failed = two[~rows | two["factor"].isna()].copy()
    failed.loc[rows, ["value", "status", "reason"]] = [None, "failed", "it broke"]
    worse = [v for v in alone(check(failed, under("gap", two), DECLARATIONS)) if v.verdict == "worse"]
    assert {(v.model, v.score, v.note) for v in worse} == {("vae", "gap", "it has no number now: it broke")}


def test_a_score_over_all_seeds_is_another_one_over_fewer(six):  # noqa: F811
    over_all = DECLARATIONS | {"mig": replace(DECLARATIONS["mig"], scope="configuration")}
    rows = six["metric"] == "mig"
    fewer = six[six["seed"] < 5]
    renamed = fewer.assign(protocol=fewer["protocol"].where(~rows[fewer.index], fewer["protocol"] + "-fewer"))
    verdicts = alone(check(renamed, six, over_all, planned=planned(fewer)))
    assert {v.verdict for v in verdicts if v.metric == "mig"} == {"new", "missing"}
    assert not any(v.absent for v in verdicts)
