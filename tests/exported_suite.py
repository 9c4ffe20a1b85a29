"""A small suite with everything that an export meets: finished runs, a failed one, one that has not run, no numbers."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "unit"))

from synthetic_suite import synthetic_suite, write_scores

from benchmark.spec import Run
from benchmark.store import Store
from benchmark.table import compile_table, write_table

SUITE = "small"
FAILED = "train: the loss stopped being a finite number at step 7"


def exported_suite(results: Path) -> dict[str, Run]:
    """Write it into a results folder; its runs by model: ae, beta_vae and perfect are finished, vae is not, and noise
    has not run. beta_vae also has MIG under a protocol of other bins."""
    written = {run.model.name: (run, folder) for run, folder in reversed(synthetic_suite(results, 1, pictures=False))}
    runs = {name: run for name, (run, _) in written.items()}
    folders = {name: folder for name, (_, folder) in written.items()}
    other = write_scores(folders["beta_vae"], "mig", {"mig": 0.5}, protocol="mig/bins10-mean-n10000/v1")
    other.rename(other.with_name("mig-bins10.json"))
    write_scores(folders["beta_vae"], "mig", {"mig": 0.25, "mig_factor_1": 0.125})
    store = Store(results)
    planned = {name: runs[name] for name in ("ae", "beta_vae", "perfect", "vae", "noise")}
    for name in ("vae", "noise"):
        folders[name].rename(results / f"away-{name}")
    store.record_failure(runs["vae"], "train", FAILED.partition(": ")[2])
    store.write_plan(SUITE, "", list(planned.values()))
    (store.suite_folder(SUITE) / f"{SUITE}.toml").write_text("")  # by its name alone, as suites of codes are found
    compile_anew(results, runs)
    return planned


def compile_anew(results: Path, runs: dict[str, Run]) -> None:
    """Make the suite's table from the scores as they are now."""
    store = Store(results)
    done = [(runs[name], store.run_folder(runs[name])) for name in ("ae", "beta_vae", "perfect")]
    (store.suite_folder(SUITE) / "seal.json").unlink(missing_ok=True)
    write_table(compile_table(SUITE, done), store.suite_folder(SUITE) / "results")
