"""The leaderboard's data: which column a number or its absence belongs to, ranks, intervals, costs, drawings."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS, synthetic_suite, write_scores
from synthetic_table import synthetic_table

from benchmark.naming import without_points
from benchmark.stages.aggregate import aggregate
from benchmark.stages.comparisons import BY_CONSTRUCTION
from benchmark.stages.score_task import declarations
from benchmark.statistics import Interval
from benchmark.table import compile_table
from leaderboard import formats
from leaderboard.bars import Axis, axis, bar
from leaderboard.board import boards
from leaderboard.cells import Cell
from leaderboard.chart_groups import OTHERS, grouped
from leaderboard.columns import SHOWN, Column, _told, columns
from leaderboard.curves import POINTS, curves
from leaderboard.records import read_record
from leaderboard.report import environment
from leaderboard.statistics_tables import statistics_tables
from leaderboard.style import Figure

MIG = Column("mig", "MIG", "mig", "mig", None, "mig/mean/v1", "higher", True, "", True, bounds=(0.0, 1.0))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return synthetic_suite(tmp_path_factory.mktemp("results"), seeds=2, pictures=False)


@pytest.fixture(scope="module")
def table(runs) -> pd.DataFrame:
    return compile_table("suite", runs)


def with_setting(table: pd.DataFrame, model: str, protocol: str, **changed) -> pd.DataFrame:
    """The table with one more MIG of each run of a model, of another protocol."""
    rows = table[(table["model"] == model) & (table["score"] == "mig") & (table["representation"] == "mean")]
    more = rows[rows["factor"].isna()].assign(protocol=protocol, **changed)
    return pd.concat([table, more], ignore_index=True)


def test_a_setting_is_a_protocol_without_its_points():
    for points in (10_000, 0):
        assert without_points(f"mig/bins20-mean-n{points}/v1") == "mig/bins20-mean/v1"
    assert without_points("kl/mean-n5/v2") == "kl/mean/v2"
    assert without_points("x/n5-mean-n10/v1") == "x/n5-mean/v1", "a setting named n stays"


def test_what_one_setting_lacks_does_not_stand_under_another(table):
    none = {"value": np.nan, "status": "not_applicable", "reason": "too few points", "score": "mig"}
    found = with_setting(table, "vae", "mig/bins500-mean-n0/v1", **none)
    board = boards(found, DECLARATIONS)[0]
    cells = next(row for row in board.rows if row.label == "vae").cells
    assert (cells["mig"].status, cells["mig"].reason, cells["mig"].without) == ("ok", "", 0)
    lacking = [c for c in board.columns if c.metric == "mig" and not c.numbers]
    assert [c.protocol for c in lacking] == ["mig/bins500-mean-n0/v1"]
    assert cells[lacking[0].name].text == "n/a"
    assert board.reasons["too few points"] == [f"vae: {lacking[0].title}"]
    assert next(row for row in board.rows if row.label == "ae").cells[lacking[0].name].status == "absent"


def test_a_papers_setting_does_not_lead_the_board_by_its_name(table):
    """Every run has MIG in 10 bins as well, whose protocol comes first by the alphabet: ours still orders the rows."""
    found = table
    for model in table["model"].unique():
        found = with_setting(found, model, "mig/bins10-mean-n10000/v1")
    board = boards(found, DECLARATIONS)[0]
    assert [c.protocol for c in board.columns if c.metric == "mig"] == [
        "mig/bins20-mean-n10000/v1", "mig/bins10-mean-n10000/v1",
    ]  # fmt: skip
    assert board.ordered_by is not None and board.ordered_by.protocol == "mig/bins20-mean-n10000/v1"


def test_a_measure_that_gave_up_early_stands_under_its_own_setting(table):
    """Its protocol says n0, since nobody counted points; the column of the others says n10000."""
    found = table.copy()
    own = (found["model"] == "vae") & (found["metric"] == "mig") & (found["representation"] == "mean")
    found.loc[own, ["value", "status", "reason", "protocol"]] = [np.nan, "failed", "broke", "mig/bins20-mean-n0/v1"]
    found = found[~(own & found["factor"].notna())]
    cells = next(row for row in boards(found, DECLARATIONS)[0].rows if row.label == "vae").cells
    assert (cells["mig"].status, cells["mig"].reason) == ("failed", "broke")


def test_a_run_that_has_a_number_lacks_none_for_failing_on_more_points(table):
    own = (table["model"] == "vae") & (table["metric"] == "mig") & table["factor"].isna()
    more = table[own].assign(value=np.nan, status="failed", reason="broke", protocol="mig/bins20-mean-n90000/v1")
    cells = next(row for row in boards(pd.concat([table, more]), DECLARATIONS)[0].rows if row.label == "vae").cells
    assert (cells["mig"].status, len(cells["mig"].values), cells["mig"].without) == ("ok", 2, 0)
    assert cells["mig"].reason == "broke", "that is said, and makes no third run"


def test_two_settings_are_told_by_what_differs(table):
    board = boards(with_setting(table, "vae", "mig/bins50-mean-n10000/v1"), DECLARATIONS)[0]
    assert [c.title for c in board.columns if c.metric == "mig"] == ["MIG (bins 20)", "MIG (bins 50)"]


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (["sap/kind=continuous-mean-n10/v1"], "kind discrete"),
        (["sap/kind=discrete-c1-balancedTrue-scaledFalse-train100-test50-mean-n10/v1"], "c 0.01"),
        (
            ["sap/kind=continuous-mean-n10/v1", "sap/kind=discrete-c1-balancedTrue-scaledFalse-mean-n10/v1"],
            "kind discrete, c 0.01, balanced True, scaled False, train 100, test 50",
        ),
    ],
)  # fmt: skip
def test_settings_of_one_kind_alone_are_not_told_where_the_kind_is_enough(others, told):
    own = "sap/kind=discrete-c0.01-balancedTrue-scaledFalse-train100-test50-mean-n10/v1"
    assert _told(own, [own, *others], declarations(("sap",))["sap"]) == told


def test_models_that_see_labels_win_nothing(runs, table):
    records = {run.run_id: read_record(path) for run, path in runs}
    best = next(run for run, _ in runs if run.model.name == "factor_vae")
    for run_id, record in records.items():
        records[run_id] = record | ({"marks": ["sees labels"]} if record["config_id"] == best.config_id else {})
    board = boards(table, DECLARATIONS, records=records)[0]
    assert [row.label for row in board.labelled] == ["factor_vae γ=10"]
    assert not any(cell.best for cell in board.labelled[0].cells.values())
    assert sum(row.cells["mig"].best for row in board.trained) == 1
    assert [row.kind for row in board.rows] == ["trained"] * 5 + ["labelled"] + ["references"] * 2


def test_weakly_supervised_models_stand_apart_and_win_nothing(table):
    """Known by the model's name, without its run's record; the mark of the record says the same."""
    best = max(boards(table, DECLARATIONS)[0].trained, key=lambda row: row.cells["mig"].point)
    renamed = table.assign(model=table["model"].where(table["config_id"] != best.config_id, "ada_gvae"))
    board = boards(renamed, DECLARATIONS, ranking=aggregate(renamed, DECLARATIONS).ranking)[0]
    (row,) = board.paired
    assert row.marks == ("weakly supervised",) and row.label.startswith("ada_gvae")
    assert row.cells["mig"].point == best.cells["mig"].point
    assert not row.cells["mig"].best and row.cells["mig"].rank.rank == 1
    assert [each.cells["mig"].rank.rank for each in board.trained] == [1, 2, 3, 4, 5]
    assert [(kind, len(rows)) for kind, _, rows in board.bodies] == [("trained", 5), ("paired", 1), ("references", 2)]
    assert [each.kind for each in board.rows] == ["trained"] * 5 + ["paired"] + ["references"] * 2


def test_from_ten_runs_on_the_interquartile_mean_and_its_interval(tmp_path):
    runs = synthetic_suite(tmp_path, seeds=10, pictures=False)
    table = compile_table("suite", runs)
    board = boards(table, DECLARATIONS, summary=aggregate(table, DECLARATIONS).summary)[0]
    cell = board.trained[0].cells["mig"]
    assert cell.interval is not None and cell.interval.low is not None
    middle = np.sort(cell.values)[2:8].mean()
    assert cell.point == pytest.approx(middle) and cell.interval.low < middle
    assert cell.rest.startswith("[")


def test_the_page_says_of_numbers_what_any_of_them_is(tmp_path):
    """References of ten seeds beside models of three: some numbers are interquartile means, and no rank is tested."""
    table = compile_table("suite", synthetic_suite(tmp_path, seeds=10, pictures=False))
    few = table[table["model"].isin(["perfect", "noise"]) | (table["seed"] < 3)]
    said = []
    for rows in (few, few[few["seed"] < 3], table):
        summaries = aggregate(rows, DECLARATIONS)
        board = boards(rows, DECLARATIONS, summary=summaries.summary, ranking=summaries.ranking)[0]
        guide = environment().get_template("guide.html").render(first=board)
        said.append(("interquartile mean" in guide, "no interval" in guide, "after ≈" in guide))
    assert said == [(True, False, True), (False, True, True), (True, False, False)]
    assert any(cell.reason for row in board.rows for cell in row.cells.values()), "some have no number"
    assert "standard deviation" not in formats.render("markdown", [board]), "and none has fewer than ten runs"


def test_what_runs_share_has_no_interval_and_the_page_says_so():
    table = synthetic_table(declarations(), 2, 10, 6)
    board = boards(table, declarations(), summary=aggregate(table, declarations()).summary)[0]
    guide = environment().get_template("guide.html").render(first=board)
    assert "for what the runs of a model share (UDR), and for costs" in guide
    said = formats.render("markdown", [board])
    assert "ten runs on and mean ± standard deviation over seeds for what the runs of a model share (UDR);" in said
    kept = formats.narrowed([board], ["mig"])
    assert "share" not in environment().get_template("guide.html").render(first=kept[0]) + formats.render("latex", kept)


def test_ranks_come_from_the_ranking(table):
    ids = table.drop_duplicates("config_id").set_index("model")["config_id"]
    common = {"dataset": "shapes", "representation": "mean", "column": "mig", "indistinguishable_from": []}
    ranking = pd.DataFrame(
        [
            common | {"config_id": ids["vae"], "rank": 2, "rank_low": 1, "rank_high": 3, "groups": "ab", "note": ""},
            common
            | {"config_id": ids["ae"], "rank": 5, "rank_low": pd.NA, "rank_high": pd.NA, "groups": "", "note": "few"},
        ]
    )
    mean, sample = boards(table, DECLARATIONS, ranking=ranking)
    found = {row.model: row.cells["mig"].rank for row in mean.rows}
    assert found["vae"].text == "2 (1–3)" and found["vae"].group == "ab" and found["ae"].text == "≈ 5"
    assert found["pca"] is None and mean.tested and mean.ranked and not sample.ranked


def test_few_seeds_are_neither_first_nor_bold(tmp_path):
    """Its one run is the best there is, and it stands below those that have three, without a rank."""
    runs = synthetic_suite(tmp_path, seeds=3, pictures=False)
    table = compile_table("suite", runs)
    best = next(run for run, _ in runs if run.model.name == "factor_vae" and run.seed == 0)
    table = table[(table["config_id"] != best.config_id) | (table["run_id"] == best.run_id)]
    board = boards(table, DECLARATIONS, ranking=aggregate(table, DECLARATIONS).ranking)[0]
    few = board.by_config[best.config_id].cells["mig"]
    assert few.point == max(row.cells["mig"].point for row in board.trained)
    assert not few.best and few.rank.text == "–" and few.rank.note == "1 run where others have 3 or more: not ranked"
    assert board.trained[-1].config_id == best.config_id and board.unranked
    assert board.trained[0].cells["mig"].best and board.trained[0].cells["mig"].rank.text == "≈ 1"


def test_what_is_true_by_construction_is_marked(table):
    board = boards(table, DECLARATIONS, ranking=aggregate(table, DECLARATIONS).ranking)[0]
    pca = next(row for row in board.rows if row.model == "pca")
    cells, given = [row.cells["dto"] for row in board.trained], pca.cells["dto"]
    assert given.point == min(cell.point for cell in cells)
    assert not given.best and given.rank.text == "–" and given.text.endswith(" by construction")
    (winner,) = (cell for cell in cells if cell.best)
    assert winner.rank.text == "≈ 1" and "±" in winner.text
    assert not pca.cells["mig"].by_construction
    said = formats.render("csv", [board]).splitlines()
    assert sum(line.endswith("," + BY_CONSTRUCTION) for line in said) == 1


def test_codes_from_elsewhere_have_no_training_time(runs, table):
    records = {run.run_id: read_record(path) for run, path in runs}
    config = boards(table, DECLARATIONS, records=records)[0].trained[0].config_id
    for run, _ in runs:
        if run.config_id == config:
            record = records[run.run_id]
            record["provenance"]["trained"] = "elsewhere: this program only read the codes"
            record["seconds"] = {"training": 0.0, "encoding": 0.0}
    cells = boards(table, DECLARATIONS, records=records)[0].by_config[config].cells
    assert cells["training_seconds"].text == cells["encoding_seconds"].text == "–"


def test_costs_stand_beside_scores(runs, table):
    records = {run.run_id: read_record(path) for run, path in runs}
    board = boards(table, DECLARATIONS, records=records)[0]
    assert [c.score for c in board.costs] == [
        "training_seconds",
        "parameters",
        "encoding_seconds",
        "evaluation_seconds",
    ]
    cells = board.trained[0].cells
    assert cells["training_seconds"].text == "700.5" and cells["parameters"].text == "502,005"
    assert not cells["training_seconds"].best
    once = table[table["run_id"] == runs[0][0].run_id].drop_duplicates(["protocol", "representation"])
    own = board.by_config[runs[0][0].config_id].cells["evaluation_seconds"]
    assert own.values[0] == pytest.approx(0.4 * len(once))
    assert [c.score for c in boards(table, DECLARATIONS)[0].costs] == ["evaluation_seconds"], "no run folders"


def test_a_wide_board_shows_few_columns_at_first():
    declared = {name: replace(DECLARATIONS["mig"], name=name) for name in [*(f"m{i}" for i in range(30)), "mig"]}
    rows = pd.DataFrame(
        [
            {"metric": name, "score": name, "column": name, "budget": pd.NA, "protocol": f"{name}/mean-n1/v1"}
            | {"status": "ok", "direction": "higher", "supervised": True, "representation": "mean"}
            for name in declared
        ]
    )
    found = columns(rows, declared)
    assert len(found) == 31 and sum(column.first for column in found) == SHOWN
    assert found[0].name == "mig" and found[0].first
    assert all(column.first for column in columns(rows[:SHOWN], declared))


def test_bars_follow_the_models_and_references_far_off_are_ticks_at_the_edge():
    """Two models at .04 and .10 would be one blot on an axis from 0 to 1, where a perfect code ends it."""
    reference = {"perfect": Cell((1.0,), "ok"), "rotated": Cell((0.12,), "ok"), "noise": Cell((), "failed")}
    over = axis([Cell((0.04,), "ok"), Cell((0.06, 0.10), "ok"), Cell()], reference)
    assert (over.low, over.high, over.ticks) == (0.04, 0.12, {"perfect": 1.0, "rotated": 0.12})
    assert over.marks == "M97 0v10M100 6v4" and over.place(0.04) == 3
    assert axis([Cell((0.5,), "ok"), Cell((0.6,), "ok")], {"below": Cell((0.0,), "ok")}).marks == "M0 6v4"
    assert "perfect 1" in over.text and axis([Cell()], reference).high == 1.0


def test_a_bar_draws_runs_below_ten_and_an_interval_above():
    over = Axis(0.0, 1.0, {})
    assert bar(Cell(), over) is None and bar(Cell((3.0,), "ok"), over) is None
    single = bar(Cell((0.5,), "ok"), over)
    assert single is not None and single.runs == "M50 5h0" and not single.dots
    several = bar(Cell((0.0, 1.0), "ok"), over)
    assert several is not None and several.runs == "M3 5h0M97 5h0" and several.dots.startswith("M50 ")
    many = bar(Cell((0.5,) * 10, "ok", interval=Interval(0.5, 0.0, 1.0)), over)
    assert many is not None and (many.line, many.dots, many.runs) == ("M3 5H97", "M50 5h0", "")


def test_equal_values_still_have_an_axis():
    over = axis([Cell((2.0, 2.0), "ok")], {})
    assert over.low < 2.0 < over.high and bar(Cell((2.0,), "ok"), over) is not None
    assert (axis([Cell()], {}).low, axis([Cell()], {}).high) == (0.0, 1.0)


def test_every_chart_has_its_place():
    charts = [Figure(name, b"", "svg", "", "") for name in ("unheard-of", "training-curves", "seeds", "trade-off")]
    found = grouped(charts)
    assert [[chart.name for chart in group.charts] for group in found] == [
        ["seeds"], ["trade-off"], ["training-curves"], ["unheard-of"],
    ]  # fmt: skip
    assert found[-1].title == OTHERS and [group.open for group in found] == [True, True, False, False]


def test_curves_say_where_they_end(tmp_path):
    (tmp_path / "history.csv").write_text("step,rec,probe_kl_0\n0,9,1\n50,-2.5,1\n")
    (found,) = curves(tmp_path)
    assert (found.title, found.text) == ("reconstruction", "−2.5 at step 50") and found.path.count("L") == 1
    (tmp_path / "history.csv").write_text("step,rec\n0,9\n")
    assert [curve.path for curve in curves(tmp_path)] == [""]
    assert curves(tmp_path / "absent") == []


def test_a_long_curve_ends_where_its_run_did(tmp_path):
    """The last of many rows is kept: here the one in which the objective went through the roof."""
    history = pd.DataFrame({"step": 50 * np.arange(100), "rec": 100.0}).assign(rec=[100.0] * 99 + [5000.0])
    history.to_csv(tmp_path / "history.csv", index=False)
    (found,) = curves(tmp_path)
    assert found.text == "5000 at step 4,950" and found.path.count("L") + 1 <= POINTS


def test_tables_over_the_whole_leaderboard():
    share = {"share_objective": 0.5, "share_hyperparameter": 0.2, "share_seed": 0.3, "n": 20, "configurations": 4}
    ends = {f"{part}_{end}": np.nan for part in ("objective", "hyperparameter", "seed") for end in ("low", "high")}
    variance = pd.DataFrame([{"column": "mig", "note": "few"} | share | ends | {"seed_low": 0.1, "seed_high": 0.4}])
    common = {"column": "mig", "n": 20, "configurations": 4, "note": ""}
    regret = {"criterion": "elbo", "regret": 0.25, "low": np.nan, "high": np.nan, "best": 0.5, "chosen": 0.25}
    nothing = dict.fromkeys(regret, np.nan) | {"criterion": "udr"}
    selection = pd.DataFrame([common | regret, common | nothing])
    first, second = statistics_tables({"variance": variance, "selection": selection}, {"mig": "MIG"})
    assert list(first.rows[0][:4]) == ["MIG", "0.500", "0.200", "0.300 [0.100, 0.400]"]
    assert [list(row) for row in second.rows] == [["MIG", "0.500", "0.250"]]
    assert list(second.columns) == ["score", "best run", "lost by ELBO"], "a criterion without numbers has no column"
    assert "Note: few." in first.caption and "Note" not in second.caption
    chance = {"criterion": "random", "regret": 0.4, "best": 0.6, "chosen": 0.2, "configurations": 7}
    fewer = pd.DataFrame([common | regret | {"at_random": 0.3}, common | regret | chance])
    (table,) = statistics_tables({"selection": fewer}, {"mig": "MIG"})
    assert [list(row) for row in table.rows] == [["MIG", "0.600", "0.250 (chance: 0.200)", "0.400"]], "of the same four"
    assert statistics_tables({}, {}) == []


def test_marks_of_a_run_folder_stand_in_its_row(tmp_path):
    runs = synthetic_suite(tmp_path, seeds=1, pictures=False)
    run, path = runs[0]
    (path / "run.json").write_text(json.dumps(json.loads((path / "run.json").read_text()) | {"marks": ["odd"]}))
    write_scores(path, "mig", {"mig": 0.5})
    records = {each.run_id: read_record(folder) for each, folder in runs}
    board = boards(compile_table("suite", runs), DECLARATIONS, records=records)[0]
    assert board.by_config[run.config_id].marks == ("odd",) and board.by_config[run.config_id].kind == "trained"
