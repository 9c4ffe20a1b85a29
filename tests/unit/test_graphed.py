"""The engine for a GPU, run on the CPU: the same code but for the capture of its step."""

from __future__ import annotations

import importlib.util
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from small import advance, load, small_run, table, weights
from torch import Tensor, nn

from benchmark.datasets._dataset import Data
from benchmark.errors import ModelError, UsageError
from benchmark.models.beta_vae import BetaVAE
from benchmark.models.vae import VAE
from benchmark.spec import Run, TrainingSettings
from benchmark.stages.encode import encode_neural
from benchmark.stages.order import Order
from benchmark.stages.studies.decoder import traced
from benchmark.stages.worker import FleetTask, train_fleet
from benchmark.store import Store, read_json, write_json
from benchmark.suite import EncodingSettings, settings_of
from benchmark.training import checkpoint, device, feed
from benchmark.training.checkpoint import Progress
from benchmark.training.draws import Draws
from benchmark.training.feed import Feed, ResidentFeed
from benchmark.training.fleet import GPU_MEMORY, LARGEST_CONVOLUTIONAL, Fleet, fleet_size, plan_fleets
from benchmark.training.graphed import GraphedEngine
from benchmark.training.history import History
from benchmark.training.layers import doubled, exchange_layers, halved
from benchmark.training.loop import Interrupted, build, make_engine, train
from benchmark.training.on_device import OnDevice
from benchmark.training.placed import PlacedEngine
from benchmark.training.single import SingleEngine
from benchmark.training.stacked import StackedEngine
from benchmark.verbs._request import Request
from benchmark.verbs._workplace import Workplace
from benchmark.verbs.estimate import estimate
from benchmark.verbs.run import run as run_suite

CONV = ("conv32", {"latents": 2})


def apart(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().max().item()


def pictures(channels: int = 1, size: int = 32, points: int = 24) -> Data:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (points, channels, size, size)).astype(np.uint8)
    return table(images, maximum=255)


def conv_runs(model: str, settings: list[dict[str, Any]], network: str = "conv32", **training: Any) -> list[Run]:
    """Members of different learning rates on images."""
    return [
        small_run(
            model,
            {"likelihood": "bernoulli", **each},
            network=(network, {"latents": 2}),
            training={"batch": 4, "learning_rate": 1e-3 / (seed + 1), **training},
            seed=seed,
        )
        for seed, each in enumerate(settings)
    ]


def engine_of(cls: type[Any], runs: list[Run], data: Data, **options: Any) -> Any:
    trainings = [settings_of(run.training, TrainingSettings) for run in runs if run.training]
    return cls([build(run, data) for run in runs], trainings, **options)


def trained(cls: type[Any], runs: list[Run], data: Data, steps: int, **options: Any) -> tuple[list[Tensor], Tensor]:
    """Weights of every run after so many steps in double precision, and the losses (steps m).

    Adam makes full steps of gradients that are nothing but rounding: single precision would compare those.
    """
    trainings = [settings_of(run.training, TrainingSettings) for run in runs if run.training]
    engine = cls([build(run, data).double() for run in runs], trainings, **options)
    feed = Feed(Draws([run.run_id for run in runs], engine.members[0], data.training_rows, 4), data, labelled=False)
    losses = []
    for step in range(steps):
        x, x2, noise, _ = feed.at(step)
        noise = {name: value.double() for name, value in noise.items()}
        terms = engine.step(x.double(), None if x2 is None else x2.double(), noise, step)
        losses.append(terms["loss"].float())
    return [weights(engine.member(index)) for index in range(len(runs))], torch.stack(losses)


@pytest.mark.parametrize(("inputs", "outputs", "size"), [(1, 32, 8), (3, 5, 4), (7, 1, 2), (3, 12, 6)])
def test_products_are_the_convolutions_and_so_are_their_gradients(inputs: int, outputs: int, size: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, inputs, size, size + 2, dtype=torch.double, requires_grad=True)
    for cls, product in ((nn.Conv2d, halved), (nn.ConvTranspose2d, doubled)):
        layer = cls(inputs, outputs, 4, stride=2, padding=1).double()
        expected, found = layer(x), product(x, layer.weight, layer.bias)
        torch.testing.assert_close(found, expected)
        direction = torch.randn_like(expected)
        gradients = [torch.autograd.grad((y * direction).sum(), [x, *layer.parameters()]) for y in (expected, found)]
        for one, other in zip(*gradients, strict=True):
            torch.testing.assert_close(one, other)


def test_layers_that_are_no_halving_keep_their_own_arithmetic() -> None:
    torch.manual_seed(0)
    odd = nn.Sequential(nn.Conv2d(2, 4, 3, padding=2, dilation=2, groups=2), nn.ConvTranspose2d(4, 2, 4, 2, 1, 1))
    x = torch.randn(2, 2, 5, 5)
    expected = odd(x)
    names = [name for name, _ in odd.named_parameters()]
    exchange_layers(odd, "space_to_depth", "float32")
    torch.testing.assert_close(odd(x), expected)
    assert [name for name, _ in odd.named_parameters()] == names
    with pytest.raises(NotImplementedError, match="padded by reflect"):
        exchange_layers(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")), "grouped", "float32")


class Doubling(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


def test_an_authors_own_layers_stay() -> None:
    model = nn.Sequential(Doubling(2, 2), nn.Linear(2, 2))
    exchange_layers(model, "grouped", "bfloat16")
    assert type(model[0]) is Doubling


@pytest.mark.parametrize(
    ("model", "settings", "network", "channels", "convolution"),
    [
        ("vae", [{}, {}], "conv64", 3, "grouped"),
        ("beta_vae", [{"beta": 1.0}, {"beta": 8.0}, {"beta": 0.0}], "conv32", 1, "space_to_depth"),
        ("beta_tcvae", [{"beta": 2.0}, {"alpha": 3.0}], "conv64", 3, "space_to_depth"),
        ("factor_vae", [{"gamma": 2.0}, {"discriminator_learning_rate": 1e-3}], "conv32", 1, "space_to_depth"),
        ("beta_vae", [{"beta": 1.0}, {"beta": 8.0}], "conv", 3, "space_to_depth"),
    ],
)
def test_a_fleet_of_convolutions_trains_as_its_members_alone(
    model: str, settings: list[dict[str, float]], network: str, channels: int, convolution: str
) -> None:
    runs, data = (
        conv_runs(model, settings, network),
        pictures(channels, {"conv64": 64, "conv32": 32, "conv": 16}[network]),
    )
    fleet, losses = trained(GraphedEngine, runs, data, 10, convolution=convolution)
    for index, run in enumerate(runs):
        (alone,), expected = trained(SingleEngine, [run], data, 10)
        assert apart(weights(build(run, data)), alone) > 1e-3
        assert apart(alone, fleet[index]) < 1e-9
        torch.testing.assert_close(losses[:, [index]], expected)


def test_terms_and_posteriors_are_those_of_the_other_engines() -> None:
    runs = [small_run("beta_vae", {"beta": beta}) for beta in (1.0, 4.0)]
    data = load(runs[0])
    engines = [engine_of(cls, runs, data) for cls in (StackedEngine, GraphedEngine)]
    probe = torch.from_numpy(data.images[:150])
    (*_, expected), (first, *_, found) = (advance(engine, runs, data, 0, 3) for engine in engines)
    assert not torch.equal(first["loss"], found["loss"])  # a later step leaves them alone
    assert list(expected) == list(found)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
    for one, other in zip(*(engine.posterior(probe) for engine in engines), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other)


def test_a_checkpoint_of_the_other_engine_goes_on_here(tmp_path: Path) -> None:
    runs = [small_run("vae", seed=seed, training={"learning_rate": 10.0 ** -(2 + seed)}) for seed in range(2)]
    data, path = load(runs[0]), tmp_path / "checkpoint.safetensors"
    whole, first, second = (engine_of(cls, runs, data) for cls in (StackedEngine, StackedEngine, GraphedEngine))
    advance(whole, runs, data, 0, 20)
    advance(first, runs, data, 0, 10)
    checkpoint.save(path, first, Progress(10, 0.0, History(2), [], ("cpu",)))
    advance(second, runs, data, 0, 1)  # whatever it did before is overwritten
    assert checkpoint.restore(path, second).devices == ("cpu",)
    advance(second, runs, data, 10, 20)
    for index in range(2):
        assert apart(weights(whole.member(index)), weights(second.member(index))) < 1e-5


def test_capturing_a_step_leaves_weights_and_optimiser_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """A capture needs a GPU; here the warm-up runs on the CPU, and a replay is one more step."""
    runs = [small_run("vae", seed=seed) for seed in range(2)]
    data = load(runs[0])
    whole, captured = (engine_of(GraphedEngine, runs, data) for _ in range(2))
    advance(whole, runs, data, 0, 6)
    captured._module = whole._module
    advance(captured, runs, data, 0, 2)
    stream = SimpleNamespace(wait_stream=lambda other: None)
    for name, value in {
        "Stream": lambda device: stream,
        "current_stream": lambda device: stream,
        "stream": lambda one: nullcontext(),
        "graph": lambda graph: nullcontext(),
        "CUDAGraph": lambda: SimpleNamespace(replay=captured._advance),
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    captured._capture()
    advance(captured, runs, data, 2, 6)
    for name, value in whole.state().items():
        assert torch.equal(value, captured.state()[name]), name


def test_a_step_that_cannot_be_captured_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run("vae")
    data = load(run)
    engine = engine_of(GraphedEngine, [run], data)
    monkeypatch.setattr(engine, "_advance", lambda: None)
    stream = SimpleNamespace(wait_stream=lambda other: None)

    def refuse(graph: Any) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    for name in ("Stream", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, lambda device: stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda one: nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", refuse)
    with pytest.raises(ModelError, match=r"cannot be captured .* not permitted .*--device cpu"):
        engine._capture()


def test_what_does_not_stack_trains_alone_as_on_the_cpu(tmp_path: Path) -> None:
    runs, data = conv_runs("beta_vae", [{"beta": 4.0}]), pictures()
    path = tmp_path / "checkpoint.safetensors"
    alone, placed, later = (engine_of(cls, runs, data) for cls in (SingleEngine, PlacedEngine, PlacedEngine))
    advance(alone, runs, data, 0, 2)
    checkpoint.save(path, alone, Progress(2, 0.0, History(1), []))
    checkpoint.restore(path, later)
    for engine in (alone, later):
        advance(engine, runs, data, 2, 4)
    advance(placed, runs, data, 0, 4)
    for engine in (placed, later):
        assert torch.equal(weights(engine.member(0)), weights(alone.member(0)))
    x = torch.from_numpy(data.images[:3]).float()
    torch.testing.assert_close(placed.posterior(x).mu, alone.posterior(x).mu)


def test_a_feed_on_a_device_gives_what_the_feed_here_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, images = [small_run("factor_vae", seed=seed) for seed in range(2)], pictures()
    data = Data(
        images.images, np.arange(24)[:, None] % 3, ("kind",), (3,), np.arange(5, 24), np.arange(24), maximum=255
    )
    model = build(runs[0], load(runs[0]))

    def draws() -> Draws:
        return Draws([run.run_id for run in runs], model, data.training_rows, 4)

    here, there = Feed(draws(), data, labelled=True), ResidentFeed(draws(), data, torch.device("cpu"), labelled=True)
    monkeypatch.setattr(feed, "fits", lambda images, device: False)
    large = ResidentFeed(draws(), data, torch.device("cpu"), labelled=True)
    assert there.images is not None
    assert there.images.dtype == torch.uint8
    assert large.images is None
    for step in (0, 63, 64, 130, 5):
        expected = here.at(step)
        for found in (there.at(step), large.at(step)):
            assert torch.equal(found.x, expected.x)
            assert torch.equal(found.x2, expected.x2)
            assert torch.equal(found.labels, expected.labels)
            assert found.noise.keys() == expected.noise.keys()
            assert all(torch.equal(value, expected.noise[name]) for name, value in found.noise.items())


class TestPrecision:
    def test_bfloat16_is_near_single_precision_and_another_run(self) -> None:
        data = pictures()
        (run,) = conv_runs("vae", [{}])
        (narrow,) = conv_runs("vae", [{}], precision="bfloat16")
        assert run.config_id == conv_runs("vae", [{}], precision="float32")[0].config_id != narrow.config_id
        # A run's id names its streams: the same run with other settings compares the arithmetic alone.
        training = settings_of(run.training, TrainingSettings)
        exact = torch.stack([each["loss"] for each in advance(engine_of(SingleEngine, [run], data), [run], data, 0, 5)])
        for convolution in ("grouped", "space_to_depth"):
            settings = [training.model_copy(update={"precision": "bfloat16"})]
            engine = GraphedEngine([build(run, data)], settings, convolution=convolution)  # type: ignore[arg-type]
            found = torch.stack([each["loss"] for each in advance(engine, [run], data, 0, 5)])
            assert all(value.dtype == torch.float32 for value in engine.state().values())
            torch.testing.assert_close(found, exact, rtol=0.01, atol=0)
            assert apart(found, exact) > 1e-3

    def test_only_an_engine_that_heeds_it_gets_such_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        run = small_run("beta_vae", training={"precision": "bfloat16"})
        for kind, engine in (("cpu", "stacked"), ("cuda", "graphed")):
            (fleet,) = plan_fleets([run], kind)  # type: ignore[arg-type]
            assert fleet.engine == engine
        monkeypatch.setattr(BetaVAE, "stacks", False)
        with pytest.raises(UsageError, match=r'beta_vae does not stack.*precision = "float32"'):
            plan_fleets([run])


class TestPlan:
    def test_convolutions_stack_on_a_gpu(self) -> None:
        runs = [small_run("beta_vae", {"beta": float(beta)}, network=CONV) for beta in range(40)]
        fleets = plan_fleets(runs, "cuda")
        assert [(fleet.engine, len(fleet.runs)) for fleet in fleets] == [
            ("graphed", LARGEST_CONVOLUTIONAL),
            ("graphed", 8),
        ]
        assert {fleet.engine for fleet in plan_fleets(runs)} == {"single"}

    def test_fleets_fall_with_what_a_member_takes(self) -> None:
        def members(model: str, settings: dict[str, Any] | None = None, **training: Any) -> int:
            return fleet_size(small_run(model, settings, network=CONV, training={"batch": 64, **training}), "cuda")

        assert members("vae") == LARGEST_CONVOLUTIONAL
        assert 1 < members("iwae", {"samples": 10}) < 10
        assert members("vae", batch=1024) < 10
        wide = {"discriminator_width": 10_000}
        assert members("factor_vae", wide) * 16 * 2 * 10_000**2 <= GPU_MEMORY
        assert members("factor_vae", {"discriminator_width": 100_000}) == 1

    def test_small_networks_and_closed_forms(self, monkeypatch: pytest.MonkeyPatch) -> None:
        vae = small_run()
        (fleet,) = plan_fleets([vae], "cuda")
        assert fleet.engine == "graphed"
        (closed,) = plan_fleets([Run(vae.dataset, vae.model, None, None, 0)], "cuda")
        assert closed.engine == "closed_form"
        monkeypatch.setattr(VAE, "stacks", False)
        fleets = plan_fleets([vae, small_run(seed=1)], "cuda")
        assert [(fleet.engine, len(fleet.runs)) for fleet in fleets] == [("single", 1)] * 2

    def test_a_fleet_goes_on_on_the_device_that_there_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[str] = []

        class Recorded:
            def __init__(self, members: Any, trainings: Any, place: str) -> None:
                seen.append(f"{type(self).__name__} {place}")

        monkeypatch.setattr("benchmark.training.loop.GraphedEngine", type("Graphed", (Recorded,), {}))
        monkeypatch.setattr("benchmark.training.loop.PlacedEngine", type("Placed", (Recorded,), {}))
        for name in ("stacked", "graphed", "single"):
            make_engine(name, [], [], "cuda:1")  # type: ignore[arg-type]
        assert seen == ["Graphed cuda:1", "Graphed cuda:1", "Placed cuda:1"]


class TestTraining:
    def test_a_stopped_fleet_goes_on_bit_by_bit(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        runs = tuple(small_run("beta_vae", seed=seed, training={"steps": 40}) for seed in range(2))
        data, folders = load(runs[0]), [tmp_path / name for name in ("whole", "stopped")]
        for folder in folders:
            folder.mkdir()
        fleet = Fleet("graphed", runs)
        whole, progress = train(fleet, data, folders[0], 1e9, lambda: False)
        asked = iter(range(1, 100))
        with pytest.raises(Interrupted):
            train(fleet, data, folders[1], 1e9, lambda: next(asked) >= 3)
        monkeypatch.setattr("benchmark.training.loop.described", lambda place: "cuda, another")
        again, resumed = train(fleet, data, folders[1], 1e9, lambda: False)
        assert (progress.devices, resumed.resumed, resumed.devices) == (("cpu",), [6], ("cpu", "cuda, another"))
        for index in range(2):
            assert torch.equal(weights(whole.member(index)), weights(again.member(index)))
            assert progress.history.csv(index) == resumed.history.csv(index)

    def test_a_worker_publishes_what_it_trained_and_says_on_what(self, tmp_path: Path) -> None:
        run = small_run("beta_vae", training={"steps": 2, "precision": "bfloat16"})
        store, (fleet,) = Store(tmp_path), plan_fleets([run])
        write_json(store.fleet_folder(fleet.fleet_id) / "fleet.json", {"fleet": fleet.to_json()})
        kept = EncodingSettings(likelihood_points=2, likelihood_samples=5)
        outcome = train_fleet(FleetTask(Order(tmp_path, encoding=kept), fleet.fleet_id))
        assert outcome.published == [run.run_id], outcome
        record = store.read_run(run)
        assert (record["provenance"]["device"], record["provenance"]["fleet"]["engine"]) == ("cpu", "stacked")
        assert Run.from_json(record["run"]) == run

    def test_a_worker_without_the_gpu_that_it_is_told_to_use_says_so(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        store, fleet = Store(tmp_path), Fleet("graphed", (small_run(),))
        path = store.fleet_folder(fleet.fleet_id) / "fleet.json"
        write_json(path, {"fleet": fleet.to_json()})
        outcome = train_fleet(FleetTask(Order(tmp_path), fleet.fleet_id, "cuda:0"))
        assert (outcome.fatal or "").startswith("--device cuda: torch")
        assert path.exists()


@pytest.mark.parametrize("model", ["beta_vae_full", "mixture_vae", "ae"])
def test_encoding_on_a_device_gives_the_same_codes(model: str) -> None:
    run = small_run(model)
    data = load(run)
    network, kept = build(run, data), EncodingSettings(likelihood_points=2, likelihood_samples=5)
    expected = encode_neural(network, data, run, kept)
    found = encode_neural(OnDevice(network, "cpu"), data, run, kept)
    np.testing.assert_array_equal(found.means, expected.means)
    assert found.arrays.keys() == expected.arrays.keys()
    for name, value in expected.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], value, err_msg=name)


def test_a_decoder_is_traced_for_the_page_on_a_device_too() -> None:
    """Its layers lie here, and the work is done there."""
    run = small_run("ae")
    network = build(run, load(run))
    here, there = traced(network), traced(OnDevice(network, "cpu"))
    assert [each.kind for each in here] == [each.kind for each in there] and len(here) > 1
    np.testing.assert_array_equal(here[0].weight, there[0].weight)


class TestDevice:
    def test_a_gpu_that_is_not_there_is_refused_in_a_sentence(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(UsageError, match=r"--device cuda: torch .* here; use --device cpu"):
            run_suite("quickstart", results=tmp_path, device="cuda")
        with pytest.raises(UsageError, match="--device cuda"):
            estimate(Request(suite="quickstart"), Workplace(results=tmp_path, device="cuda"))
        with pytest.raises(UsageError, match="--device tpu: choose auto, cpu or cuda"):
            run_suite("quickstart", results=tmp_path, device="tpu")
        with pytest.raises(UsageError, match="--device cuda"):
            device.set_up("cuda:0")

    def test_auto_takes_a_gpu_where_there_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        for available, kind, places in ((True, "cuda", ["cuda:0", "cuda:1"]), (False, "cpu", ["cpu"])):
            monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
            assert device.chosen("auto") == kind
            assert device.places(kind) == places  # type: ignore[arg-type]
            assert device.chosen("cpu") == "cpu"

    def test_closed_forms_take_the_cores_and_networks_the_gpus(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        handed: list[tuple[list[str], int, list[str]]] = []

        def record(function: Any, tasks: list[FleetTask], jobs: int, *_: Any) -> list[Any]:
            fleets = [
                Fleet.from_json(read_json(tmp_path / "fleets" / t.fleet_id / "fleet.json")["fleet"]) for t in tasks
            ]
            handed.append(([fleet.engine for fleet in fleets], jobs, [task.place for task in tasks]))
            return []

        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        monkeypatch.setattr("benchmark.stages.train.execute", record)
        monkeypatch.setattr("benchmark.verbs._workplace.cores", lambda: 16)
        only = {"dataset": ["synth_linear"], "model": ["ae", "beta_vae", "untrained", "ica"]}
        run_suite("quickstart", results=tmp_path, only=only, seeds=[0])
        run_suite("quickstart", results=tmp_path, only=only, seeds=[0], jobs=3)
        networks = (["graphed"] * 3, ["cuda:0", "cuda:1", "cuda:0"])
        assert [(engines, places) for engines, _, places in handed[1::2]] == [networks] * 2
        assert [(engines, jobs) for engines, jobs, _ in handed[::2]] == [(["closed_form"], 16), (["closed_form"], 3)]
        assert [jobs for _, jobs, _ in handed[1::2]] == [2, 3]


def script() -> Any:
    path = Path(__file__).parents[1] / "performance" / "gpu.py"
    spec = importlib.util.spec_from_file_location("gpu", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_race_needs_a_gpu_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    race = script()
    assert race.main([]) == 2
    assert capsys.readouterr().err.startswith("--device cuda: torch")
    little = "--device cpu --parts race --network conv32 --batch 2 --points 8 --rounds 1 --steps 1 --warm-up 1"
    assert race.main([*little.split(), "--members", "2", "--convolutions", "grouped", "--precisions", "bfloat16"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("plain loop, one model")
    assert lines[-1].startswith("2 members, grouped, bfloat16")
