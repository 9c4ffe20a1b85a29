"""Archives and submissions that were tampered with, every digest made anew, and what `verify` answers."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.archive.checks.content import read_content
from benchmark.archive.manifest import File
from benchmark.archive.opening import open_archive
from benchmark.archive.parquet import as_parquet
from benchmark.archive.writing import summary_files
from benchmark.integrity.sealed import render, sealed
from benchmark.stages.aggregate import aggregate
from benchmark.stages.score_task import declarations

Change = Callable[[pd.DataFrame], pd.DataFrame]


def unpacked(submission: Path, to: Path) -> Path:
    with zipfile.ZipFile(submission / "mine.zip") as archive:
        archive.extractall(to)
    return to


def forge(folder: Path, name: str, content: bytes) -> None:
    """Exchange a file of an archive, and make every digest anew."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "archive.json").read_bytes())
    file = File.of(content)
    manifest["files"][name] = {"sha256": file.sha256, "bytes": file.size}
    (folder / "archive.json").write_text(render(sealed(manifest)))


def forge_table(folder: Path, name: str, change: Change) -> None:
    forge(folder, name, as_parquet(change(open_archive(folder).frame(name))))


def is_score(rows: pd.DataFrame, model: str, metric: str, seed: int = 0) -> pd.Series:
    return (rows["model"] == model) & (rows["metric"] == metric) & (rows["seed"] == seed)


def raised(to: float) -> Change:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[is_score(rows, "own", "mig") & (rows["score"] == "mig"), "value"] = to
        return rows

    return change


def raise_without_digest(folder: Path) -> None:
    rows = open_archive(folder).frame("scores.parquet")
    (folder / "scores.parquet").write_bytes(as_parquet(raised(0.99)(rows)))


def forge_summary(folder: Path) -> None:
    """The summaries of the scores as they are now."""
    content = read_content(open_archive(folder))
    table = pd.concat([content.scores, content.single], ignore_index=True)
    for name, found in summary_files(aggregate(table, content.measures)).items():
        forge(folder, name, found)


def raise_beyond(to: float) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        forge_table(folder, "scores.parquet", raised(to))
        forge_summary(folder)

    return tamper


def raise_alone(folder: Path) -> None:
    forge_table(folder, "scores.parquet", raised(0.5))


def under_another_seed(folder: Path) -> None:
    """Seed 0 of a model stands a second time, as seed 5 with all that belongs to it."""

    def other(row: dict[str, object]) -> dict[str, object]:
        run_id = str(row["run_id"]).replace("-s0", "-s5")
        record = json.loads(str(row["record"]))
        record |= {"run_id": run_id, "run": record["run"] | {"seed": 5}}
        return row | {"run_id": run_id, "seed": 5, "record": json.dumps(record), "shown": False}

    def add_run(runs: pd.DataFrame) -> pd.DataFrame:
        own = runs[runs["run_id"].str.endswith("-s0") & (runs["label"].str.startswith("beta_vae"))]
        return pd.concat([runs, pd.DataFrame([other(own.iloc[0].to_dict())]).astype(runs.dtypes)])

    def add_rows(rows: pd.DataFrame) -> pd.DataFrame:
        own = rows[(rows["model"] == "beta_vae") & (rows["seed"] == 0)]
        return pd.concat([rows, own.assign(seed=5, run_id=own["run_id"].str.replace("-s0", "-s5"))])

    forge_table(folder, "runs.parquet", add_run)
    for name in ("scores.parquet", "single_scores.parquet"):
        forge_table(folder, name, add_rows)
    forge_summary(folder)


def exchange_weights(folder: Path) -> None:
    a, b = sorted((folder / "weights").iterdir())[:2]
    first, second = a.read_bytes(), b.read_bytes()
    forge(folder, f"weights/{a.name}", second)
    forge(folder, f"weights/{b.name}", first)


def invent_protocol(folder: Path) -> None:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows["protocol"] = rows["protocol"].str.replace("mig/bins20-", "mig/bins999-")
        return rows

    for name in ("scores.parquet", "single_scores.parquet", "summaries/summary.parquet"):
        forge_table(folder, name, change)
    measures = json.loads((folder / "measures.json").read_bytes())
    protocols = measures["protocols"].items()
    measures["protocols"] = {key.replace("mig/bins20-", "mig/bins999-"): said for key, said in protocols}
    forge(folder, "measures.json", render(sealed(measures)).encode())


def remove_row(folder: Path) -> None:
    forge_table(folder, "scores.parquet", lambda rows: rows[~is_score(rows, "own", "mig")])


def remove_row_and_summary(folder: Path) -> None:
    remove_row(folder)
    forge_table(folder, "single_scores.parquet", lambda rows: rows[~is_score(rows, "own", "mig")])
    forge_summary(folder)


def plant_path(folder: Path) -> None:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows["reason"] = rows["reason"].str.replace("^", "/home/jane/work/x: ", regex=True)
        return rows

    forge_table(folder, "scores.parquet", change)


def hide_plugin(folder: Path) -> None:
    """A model from outside says that it is one of this package."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs["record"] = runs["record"].str.replace('"name":"ae"', '"name":"mine"')
        return runs

    forge_table(folder, "runs.parquet", change)


def lay_beside(folder: Path) -> None:
    (folder / "more.parquet").write_bytes(b"what no digest names")


def no_run_id(folder: Path) -> None:
    forge_table(folder, "runs.parquet", lambda runs: runs.assign(run_id=runs["run_id"].where(runs.index > 0)))


def no_seconds(folder: Path) -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        records = [json.loads(text) | {"seconds": {}} for text in runs["record"]]
        return runs.assign(record=list(map(json.dumps, records)))

    forge_table(folder, "runs.parquet", change)


def summary_of_words(folder: Path) -> None:
    forge_table(folder, "summaries/summary.parquet", lambda rows: rows.assign(mean="high"))


def narrower_summary(folder: Path) -> None:
    forge_table(folder, "summaries/summary.parquet", lambda rows: rows.assign(std=rows["std"] / 2))


def summary_by_another_program(folder: Path) -> None:
    narrower_summary(folder)
    manifest = json.loads((folder / "archive.json").read_bytes())
    (folder / "archive.json").write_text(render(sealed(manifest | {"program": "benchmark 0.1.0"})))


def first_of_all(folder: Path) -> None:
    forge_table(folder, "summaries/ranking.parquet", lambda rows: rows.assign(note="first"))


def shorter_improvement(folder: Path) -> None:
    forge_table(folder, "summaries/improvement.parquet", lambda rows: rows.iloc[:-1])


def history_of_words(folder: Path) -> None:
    forge_table(folder, "histories.parquet", lambda rows: rows.assign(loss="low"))


def no_text(folder: Path) -> None:
    forge(folder, "suite.toml", b"\xff")


def weights_of_nothing(folder: Path) -> None:
    """A network for points of a negative size, trained on more of them than any memory holds."""
    from safetensors.numpy import load, save

    name = next(name for name in open_archive(folder).manifest.files if name.startswith("weights/"))
    run_id = open_archive(folder).frame("runs.parquet").query("shown and config_id == @name[8:20]")["run_id"].iloc[0]
    about = {"run": run_id, "shape": [-3], "training_points": 10**15}
    forge(folder, name, save(load((folder / name).read_bytes()), metadata={"archive": json.dumps(about)}))


def forge_measures(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    measures = json.loads((folder / "measures.json").read_bytes())
    change(measures)
    forge(folder, "measures.json", render(sealed(measures)).encode())


def settings_of_another_kind(folder: Path) -> None:
    def change(measures: dict[str, Any]) -> None:
        next(said for said in measures["protocols"].values() if said["metric"] == "mig")["settings"] = [1]

    forge_measures(folder, change)


def describe_mig_anew(folder: Path) -> None:
    """A measure of this package, said to be one of somebody else's: lower is better."""

    def change(measures: dict[str, Any]) -> None:
        described = declarations()["mig"].described()
        measures["measures"]["mig"] = described | {"higher_is_better": False, "bounds": [-9, 9]}

    forge_measures(folder, change)


def newer_format(folder: Path) -> None:
    manifest = json.loads((folder / "archive.json").read_bytes())
    (folder / "archive.json").write_text(render(sealed(manifest | {"archive": 3})))


def older_format(folder: Path) -> None:
    manifest = json.loads((folder / "archive.json").read_bytes())
    (folder / "archive.json").write_text(render(sealed(manifest | {"archive": 1})))


def in_runs(column: str, value: object) -> Callable[[Path], None]:
    """A column of runs.parquet says one thing wherever it says something."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        return runs.assign(**{column: runs[column].where(runs[column].isna(), value)})

    return lambda folder: forge_table(folder, "runs.parquet", change)


def label_of_another(folder: Path) -> None:
    forge_table(folder, "runs.parquet", lambda runs: runs.assign(label=runs["label"].replace("ae", "vae")))


def both_shown(folder: Path) -> None:
    """Two runs stand for one configuration, the one with the weights behind the other."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        own = runs["label"] == "ae"
        reason = runs.loc[own, "chosen_by"].dropna().iloc[0]
        return runs.assign(shown=runs["shown"] | own, chosen_by=runs["chosen_by"].where(~own, reason))

    forge_table(folder, "runs.parquet", change)


def own_page(folder: Path) -> None:
    forge(folder, "notes.html", b"<script>alert(1)</script>")


def explorer_of_nothing(folder: Path) -> None:
    forge(folder, "explorers/0123456789ab.npz", b"anything")


TAMPERED = {
    "another label": (label_of_another, r"runs: run \w+-s\d is said to have the label 'vae', its record gives 'ae'"),
    "no reference": (in_runs("reference", False), r"runs: run \w+-s\d is said to have the reference False, .* True"),
    "fewer parameters": (in_runs("parameters", 7), r"runs: run \w+-s\d is said to have the parameters 7, its record"),
    "faster": (in_runs("training_seconds", 1e-9), r"runs: run \w+-s\d is said to have the training_seconds 1e-09"),
    "another commit": (in_runs("commit", "0123"), r"runs: run \w+-s\d is said to have the commit '0123', its record"),
    "another device": (in_runs("device", "abacus"), r"runs: run \w+-s\d is said to have the device 'abacus', its"),
    "no digest of scores": (in_runs("scores_sha256", "none"), r"runs: run \w+-s\d says no sha256 of its scores"),
    "a run that was chosen for nothing": (
        in_runs("chosen_by", "best of everything"),
        r"runs: a run of \w+ was chosen by 'best of everything': the median of its runs stands for it",
    ),
    "the median of more runs than there are": (
        in_runs("chosen_by", "median MIG of 99"),
        r"runs: a run of \w+ was chosen by 'median MIG of 99'",
    ),
    "somebody's folder among the runs": (
        in_runs("chosen_by", "median /home/jane/work/x of 2"),
        r"nobody's folders: runs\.parquet: the chosen_by of a row names the folder '/home/jane/work/'",
    ),
    "two shown runs": (both_shown, r"runs: 2 runs of \w+ are shown: one stands for its configuration"),
    "a page of its own": (own_page, r"schema: .*notes\.html is no file that an archive has"),
    "an explorer of nothing": (explorer_of_nothing, r"weights: explorers/0123456789ab\.npz is there and no config"),
    "a score raised": (raise_without_digest, r"files: .*scores\.parquet is not what it was"),
    "a score raised beyond its bounds, all digests anew": (
        raise_beyond(1.7),
        r"bounds and ceilings: mig of run \w+-s0 .* 1\.7 is beyond its bounds, 0 to 1",
    ),
    "a score raised within its bounds, the summary as it was": (raise_alone, "summaries: mig of .* by the summary"),
    "a run under another seed": (under_another_seed, r"no run twice: run \w+-s5 has the same codes as \w+-s0"),
    "weights exchanged": (exchange_weights, "weights: .* is of '.*', not of"),
    "a protocol invented": (invent_protocol, "protocols: protocol mig/bins999-.* is none that this version computes"),
    "a row removed": (remove_row, "summaries: mig of .* is of 2 runs by the summary, and there are scores of 1"),
    "a row removed, the summary anew": (remove_row_and_summary, r"runs: run \w+-s0 has no mig of its mean codes"),
    "somebody's folder": (
        plant_path,
        r"nobody's folders: scores\.parquet: the reason of a row names the folder '/home/jane/",
    ),
    "a model under a name that is none here": (hide_plugin, "plug-ins: model mine of run .* is no part"),
    "a file besides": (lay_beside, r"files: .*more\.parquet is not in archive\.json"),
    "a newer format": (newer_format, "has the archive format 3, this version reads 2; update"),
    "an older format": (older_format, "this version reads 2; it is older: publish it anew"),
    "a run without an id": (no_run_id, r"schema: .*runs\.parquet: the column run_id is of text, and holds something"),
    "a run without its cost": (no_seconds, r"schema: .*: its seconds of training are None, and no number"),
    "a summary of words": (summary_of_words, "summaries: .*the column mean is of numbers, and holds something else"),
    "a narrower spread in the summary": (narrower_summary, r"summaries: summaries/summary\.parquet: std of .* is "),
    "a ranking with other words": (first_of_all, r"summaries: summaries/ranking\.parquet: note of .* is first, and"),
    "a comparison left out": (shorter_improvement, r"summaries: summaries/improvement\.parquet has .* rows of .*, and"),
    "a history of words": (history_of_words, "schema: .*the column loss is of numbers, and holds something else"),
    "a suite's text that is none": (no_text, r"schema: .*suite\.toml is no text in UTF-8"),
    "weights of no shape": (weights_of_nothing, r"weights: .*: no \w+ can be built for points of shape \(-3,\)"),
    "settings that are none": (settings_of_another_kind, "protocols: protocol mig.* has settings that are no names"),
    "a measure of this package described anew": (
        describe_mig_anew,
        r"protocols: metric mig is part of this package, and measures\.json describes another one",
    ),
}
