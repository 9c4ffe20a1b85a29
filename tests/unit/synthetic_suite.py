"""A finished suite that nobody trained: run folders with plausible histories, codes, pictures and scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.codes import Codes
from benchmark.metrics._declare import Metric, metric
from benchmark.spec import Component, Run


@metric(supervised=True)
def mig(codes: Any, factors: Any, *, bins: int = 20) -> dict[str, float]:
    return {}


@metric(supervised=True)
def factor_vae_score(codes: Any, factors: Any, *, prune: float = 0.05) -> dict[str, float]:
    return {}


@metric(supervised=True, headline="accuracy")
def downstream(codes: Any, factors: Any) -> dict[str, float]:
    return {}


@metric(higher_is_better=False, bounds=(0.0, float("inf")), representations=("mean",))
def dto(v: Any) -> dict[str, float]:
    return {}


@metric(higher_is_better=False, bounds=(0.0, float("inf")), representations=("mean",))
def reconstruction(x: Any) -> dict[str, float]:
    return {}


@metric(higher_is_better=None, bounds=(0.0, float("inf")), representations=("mean",))
def kl(means: Any, variances: Any) -> dict[str, float]:
    return {}


DECLARATIONS: dict[str, Metric] = {
    f.__name__: f.declaration  # type: ignore[attr-defined]
    for f in (mig, factor_vae_score, downstream, dto, reconstruction, kl)
}

# model, settings, and its quality: MIG, DtO, reconstruction in nats, KL in nats
MODELS: list[tuple[str, dict[str, Any], tuple[float, float, float, float] | None]] = [
    ("ae", {"latents": 6}, (0.06, 1.7, 9.0, 0.0)),
    ("vae", {"latents": 6}, (0.12, 1.1, 12.0, 24.0)),
    ("beta_vae", {"latents": 6, "beta": 4}, (0.22, 0.8, 21.0, 15.0)),
    ("beta_vae", {"latents": 6, "beta": 10}, (0.25, 0.7, 38.0, 10.0)),
    ("factor_vae", {"latents": 6, "gamma": 10, "discriminator_layers": 5}, (0.28, 0.9, 26.0, 16.0)),
    ("pca", {"latents": 6}, (0.03, 0.0, 60.0, 0.0)),
    ("perfect", {}, None),
    ("noise", {"latents": 6}, None),
]


def synthetic_suite(results: Path, seeds: int = 3, pictures: bool = True, shift: float = 0.0) -> list[tuple[Run, Path]]:
    """Write run folders under `results`; `shift` is added to every trained MIG."""
    runs = []
    for order, (model, settings, quality) in enumerate(MODELS):
        for seed in range(seeds):
            trained = quality is not None and model != "pca"
            run = Run(
                dataset=Component("shapes", 1, {"resolution": 64}),
                model=Component(model, 1, settings),
                network=Component("conv64", 1, {}) if trained else None,
                training=Component("training", 1, {"steps": 4000, "batch": 64}) if trained else None,
                seed=seed,
            )
            folder = results / "runs" / "shapes" / model / run.config_id / f"s{seed}"
            (folder / "scores").mkdir(parents=True)
            rng = np.random.default_rng([order, seed])
            write_run(folder, run)
            write_all_scores(folder, quality, rng, shift, perfect=model == "perfect")
            if trained:
                assert quality is not None
                write_history(folder, quality, rng, tc=model == "factor_vae")
            if quality is not None and pictures:
                write_codes(folder, quality, rng, stochastic=model not in ("ae", "pca"))
            runs.append((run, folder))
    return runs


def write_run(folder: Path, run: Run) -> None:
    provenance = {
        "commit": "0123456789abcdef",
        "versions": {"python": "3.11.9", "torch": "2.6.0", "numpy": "2.4.6"},
        "device": "cpu",
        "host": "laptop",
        "cpu": "a CPU",
        "started": "2026-01-05T10:00:00+00:00",
        "finished": "2026-01-05T10:12:00+00:00",
        "fleet": {"members": 3},
    }
    record = {
        "format": 1,
        "run_id": run.run_id,
        "config_id": run.config_id,
        "run": run.to_json(),
        "parameters": 502005,
        "seconds": {"training": 700.5, "encoding": 3.2},
        "provenance": provenance,
        "command": f"benchmark run quickstart --only model={run.model.name} --seeds {run.seed}",
    }
    (folder / "run.json").write_text(json.dumps(record))


def write_scores(
    folder: Path,
    name: str,
    values: Mapping[str, float],
    status: str = "ok",
    reason: str | None = None,
    representation: str = "mean",
    **changed: Any,
) -> Path:
    declared = DECLARATIONS[name]
    scores = {
        "format": 1,
        "metric": name,
        "metric_version": declared.version,
        "protocol": declared.protocol(declared.settings(), representation, 10000),
        "representation": representation,
        "budget": "full",
        "settings": {},
        "n": 10000,
        "evaluation_seed": 0,
        "status": status,
        "reason": reason,
        "values": dict(values),
        "seconds": 0.4,
        "factor_names": ["shape", "scale", "orientation"],
    } | changed
    path = folder / "scores" / f"{name}-{representation}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(scores))
    return path


def write_all_scores(
    folder: Path,
    quality: tuple[float, float, float, float] | None,
    rng: np.random.Generator,
    shift: float,
    perfect: bool,
) -> None:
    m, d, rec, divergence = quality or ((0.9, 0, 0, 0) if perfect else (0.005, 0, 0, 0))
    m = float(np.clip(m + shift + (rng.normal(0, 0.02) if quality else 0), 0, 1))
    for representation, factor in (("mean", 1.0), ("sample", 0.8)):
        each = {f"mig_factor_{i}": m * factor * w for i, w in enumerate((0.5, 1.5, 1.0))}
        write_scores(folder, "mig", {"mig": m * factor} | each, representation=representation)
        score = min(0.5 + m * 0.8 * factor + abs(rng.normal(0, 0.03)), 1)
        write_scores(folder, "factor_vae_score", {"factor_vae_score": score}, representation=representation)
        accuracy = {f"accuracy_at_{n}": min(0.4 + 0.1 * np.log10(n) + 0.2 * m, 1) for n in (10, 100, 1000)}
        accuracy |= {f"accuracy_at_100_factor_{i}": 0.5 for i in range(3)}
        write_scores(folder, "downstream", accuracy, representation=representation)
    if quality is None:
        reason = "codes alone have no decoder"
        write_scores(folder, "dto", {}, "not_applicable", reason)
        write_scores(folder, "reconstruction", {}, "not_applicable", reason)
        write_scores(folder, "kl", {}, "not_applicable", "codes without variances have no KL")
        return
    write_scores(folder, "dto", {"dto": max(d + rng.normal(0, 0.1), 0)})
    write_scores(folder, "reconstruction", {"reconstruction": rec * (1 + rng.normal(0, 0.03))})
    if divergence:
        each = {f"kl_coordinate_{j}": divergence / 6 for j in range(6)}
        write_scores(folder, "kl", {"kl": divergence * (1 + rng.normal(0, 0.03))} | each)
    else:
        write_scores(folder, "kl", {}, "not_applicable", "codes without variances have no KL")


def write_history(folder: Path, quality: tuple[float, float, float, float], rng: np.random.Generator, tc: bool) -> None:
    steps = np.arange(0, 4001, 50)
    fall = np.exp(-steps / 500)
    rec = quality[2] * (1 + 40 * fall) * np.exp(rng.normal(0, 0.05, len(steps)))
    divergence = quality[3] * (1 - np.exp(-steps / 300)) * np.exp(rng.normal(0, 0.03, len(steps)))
    columns = {"step": steps, "loss": rec + divergence, "rec": rec, "kl": divergence}
    if tc:
        columns["tc"] = rng.normal(0.2, 0.1, len(steps))
    columns |= {"probe_kl_0": divergence / 6, "delta_kl": fall, "active": 6 * (1 - fall)}
    table = np.stack(list(columns.values()), axis=1)
    np.savetxt(folder / "history.csv", table, delimiter=",", header=",".join(columns), comments="", fmt="%.6g")


def blob(x: np.ndarray, y: np.ndarray, size: np.ndarray, sharpness: float = 4.0) -> np.ndarray:
    """Soft discs, uint8 (..., 1, 64, 64), for positions and sizes of any one shape."""
    rows, columns = np.mgrid[:64, :64]
    distance = np.hypot(rows - y[..., None, None], columns - x[..., None, None])
    return (255 / (1 + np.exp((distance - size[..., None, None]) / sharpness)))[..., None, :, :].astype(np.uint8)


def write_codes(
    folder: Path, quality: tuple[float, float, float, float], rng: np.random.Generator, stochastic: bool
) -> None:
    n, d = 200, 6
    factors = rng.integers(0, 4, size=(n, 3))
    means = rng.normal(size=(n, d)).astype(np.float32)
    x, y, size = rng.uniform(14, 50, (3, 12))
    line = np.linspace(-3, 3, 10)
    moves = np.zeros((3, d, 10, 3))
    moves[:, 0, :, 0], moves[:, 1, :, 1], moves[:, 3, :, 2] = 6 * line, 6 * line, 2.5 * line
    moved = np.array([32, 32, 12]) + moves
    arrays = {
        "picture_images": blob(x, y, size / 4, 0.2),
        "picture_reconstructions": blob(x + rng.normal(0, 1, 12), y, size / 4, 2.0),
        "picture_traversals": blob(moved[..., 0], moved[..., 1], moved[..., 2], 1.5),
        "picture_traversal_images": blob(np.full(3, 32.0), np.full(3, 32.0), np.full(3, 12.0), 0.2),
        "picture_samples": blob(*rng.uniform(10, 50, (2, 64)), rng.uniform(5, 14, 64), 2.0),
    }
    if stochastic:
        arrays["picture_coordinate_kl"] = np.array([4.1, 3.9, 0.002, 2.2, 0.004, 0.001], dtype=np.float32)
    codes = Codes(
        means=means,
        factors=factors,
        factor_names=("shape", "scale", "orientation"),
        factor_sizes=(4, 4, 4),
        variances=np.full_like(means, 0.1) if stochastic else None,
        arrays=arrays,
    )
    codes.save(folder / "codes.safetensors")
