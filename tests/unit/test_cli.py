"""The command line itself: flags, exit codes, one sentence for a mistake."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

import benchmark
from benchmark import cli, registry
from benchmark.errors import BenchmarkError, UsageError
from benchmark.naming import score_name
from benchmark.suite import find
from benchmark.verbs.accept import Accepted
from benchmark.verbs.run import RunSummary
from leaderboard.columns import title
from leaderboard.verdicts import Verdict

VERBS = (
    "demo", "run", "evaluate", "compare", "report", "publish", "check", "status", "list", "show", "merge", "forget",
    "prune", "verify", "doctor", "data list", "data fetch", "data verify",
)  # fmt: skip

ROWS = '''"""Codes that are noise, a row for each point."""
import numpy as np
from benchmark import Anchor


class Rows(Anchor):
    def codes(self, factors, rng):
        return rng.normal(size=(len(factors), 2)).astype(np.float32)
'''


@pytest.fixture
def run_line(monkeypatch, capsys, tmp_path):
    """Run a command line in this process, in an empty folder; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_plugins", {})

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["benchmark", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capsys.readouterr()
        return caught.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture
def asked(monkeypatch):
    """What `run` is asked for, in place of running it."""
    calls = []

    def record(request, at):
        calls.append((request, at))
        return RunSummary(request.suite)

    monkeypatch.setattr("benchmark.verbs.run.carry_out", record)
    return calls


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["runn", "quickstart"], "No such command 'runn'"),
        (["run"], "Missing argument 'SUITE'"),
        (["run", "quickstart", "--sed", "1"], "No such option: --sed"),
        (["run", "quickstart", "--jobs", "many"], "'--jobs': write a whole number"),
        (["run", "quickstart", "--jobs", "-1"], "'--jobs'"),
        (["run", "quickstart", "--data-dir", "nope"], "--data-dir nope: there is no such folder"),
        (["data", "verify", "--data-dir", "nope"], "--data-dir nope: there is no such folder"),
        (["run", "quickstart", "--device", "tpu"], "--device tpu: choose auto, cpu or cuda"),
        (["run", "quickstart", "--seeds", "many"], "--seeds many: write how many (3), a list (0,4) or a range (2-5)"),
        (["run", "quickstart", "--seeds", "1-2-3"], "--seeds 1-2-3: write"),
        (["run", "quickstart", "--seeds", "1,x"], "--seeds 1,x: write"),
        (["run", "quickstart", "--seeds", "5-2"], "--seeds: no seeds"),
        (["run", "quickstart", "--seeds", "0"], "--seeds 0: a number says how many"),
        (["run", "quickstart", "--seeds", "1,1"], "--seeds = [1, 1]: seeds are distinct"),
        (["run", "quickstart", "--shard", "1"], "--shard 1: write I/N, such as 1/4"),
        (["run", "quickstart", "--shard", "1/x"], "--shard 1/x: write"),
        (["run", "quickstart", "--shard", "3/2", "--dry-run"], "--shard 3/2: the first number goes from 1"),
        (["run", "quickstart", "--only", "model"], "--only model: write KEY=VALUE"),
        (["run", "quickstart", "--only", "model="], "--only model=: write KEY=VALUE"),
        (["run", "quickstart", "--only", "colour=red"], "--only colour: filter by one of"),
        (["run", "quickstart", "--set", "steps"], "--set steps: write KEY=VALUE"),
        (["run", "quickstart", "--set", "training.stepz=3"], "--set training.stepz: no run"),
        (["run", "quickstart", "--set", "model.beta=-1"], "beta = -1: input should be greater than or equal to 0"),
        (["run", "quickstart", "--only", "model=vaee"], '--only model=vaee; did you mean "vae"'),
        (["run", "quickstrt"], 'unknown suite "quickstrt"; did you mean "quickstart"'),
        (["run", "absent.toml"], "suite absent.toml: no such file"),
        (["run", "quickstart", "--plugin", "absent.py"], "--plugin absent.py: no such file"),
        (["evaluate", "quickstart"], 'nothing of a suite "quickstart"'),
        (["report", "quickstart"], 'nothing of a suite "quickstart"'),
        (["report", "quickstart", "--format", "latx"], 'unknown format "latx"; did you mean "latex"'),
        (["report", "quickstart", "--figures", "gif"], "--figures gif: write svg, pdf or png"),
        (["report", "quickstart", "--output", "x"], "--output and --columns are for --format markdown"),
        (["report", "quickstart", "--format", "csv", "--figures", "svg"], "--figures goes with the page"),
        (["report", "quickstart", "--columns", "mig"], "and --columns for --figures"),
        (["report", "quickstart", "--width", "column"], "--width and --font are of figures: give --figures svg"),
        (["report", "quickstart", "--figures", "pdf", "--width", "colum"], "--width colum: write column (3.25 inches)"),
        (["report", "quickstart", "--figures", "pdf", "--width", "1"], "--width 1: write column (3.25 inches), text"),
        (["report", "quickstart", "--figures", "pdf", "--font", "dejavu san"], 'did you mean "DejaVu Sans"?'),
        (["report", "quickstart", "--siunitx"], "--siunitx and --protocols are for --format latex"),
        (["report", "quickstart", "--format", "csv", "--siunitx"], "--siunitx: csv tables have none"),
        (["report", "quickstart", "--format", "latex", "--protocols", "x"], "--protocols x: write comment, notes or"),
        (["check", "quickstart", "--against", "x.csv"], 'suite "quickstart" has no results table'),
        (["check", "quickstart"], "Missing option '--against'"),
        (["report", "a", "b"], '"b" is more than it takes: one suite at a time; two models of your own side by side'),
        (["quickstart", "run"], '"quickstart" is no verb, and the verb comes first: benchmark run quickstart'),
        (["report", "quickstart", "--format", "pdf"], "figures are drawn by --figures pdf"),
        (["report", "quickstart", "--format", "csv", "--output", "."], "--output .: a folder; name a file in it"),
        (["report", "quickstart", "--format", "csv", "--output", "a/b.csv"], "a is no such folder; make it first"),
        (["check", "quickstart", "--against", "x.csv", "--junit", "a/b.xml"], "--junit a/b.xml: a is no such folder"),
        (["evaluate", "--codes", "my codes.npz"], "my codes.npz: no such file"),
        (["evaluate", "--codes", "codes"], "codes has no ending; codes and factors are read from"),
        (["evaluate", "--codes", "."], ". is a folder; codes and factors are read from .npz"),
        (["run", "quickstart", "--plugin", "."], "--plugin .: a folder, and a plug-in is a file"),
        (["run", "quickstart", "x", "y"], 'benchmark run: "x y" is more than it takes'),
        (["evaluate", "--codes", "a.npz", "--codes", "b c.npz"], "benchmark compare a.npz 'b c.npz'"),
        (
            ["evaluate", "a.npz"],
            '"a.npz" is no suite; codes of your own become one by benchmark evaluate --codes a.npz',
        ),
        (["compare", "a", "b"], '"a" is no file of codes, and no suite of codes in results (there: none)'),
        (["compare", "a.npz", "b.npz"], "a.npz: no such file; benchmark compare takes a file of codes"),
        (["compare", "a=", "b.npz"], "a=: write NAME=FILE,FILE,… with a file for each seed"),
        (["compare", "a.npz"], "Missing argument 'B'"),
        (["status"], "--results results: no such folder"),
        (["list", "modles"], 'unknown kind "modles"; did you mean "model"'),
        (["show", "metric"], "say which; benchmark list metrics names them"),
        (["show", "metric", "mgi"], 'unknown metric "mgi"; did you mean "mig"'),
        (["show", "0123456789ab-s0"], 'plans no run "0123456789ab-s0"'),
        (["merge", "absent"], "absent is not a results folder"),
        (["data", "verify", "mnst"], 'unknown dataset "mnst"; did you mean "mnist"'),
        (["doctor", "dataset", "digits"], "the conformance suite is there for metrics and models"),
        (["doctor", "model"], "benchmark doctor model NAME: say which; benchmark list models names them"),
        (["doctor", "absent.py"], "absent.py: no such file"),
        (["prune"], "--results results: there is no such folder"),
        (["evaluate", "quickstart", "--metrics", ""], "--metrics is empty: name measures"),
        (["evaluate", "quickstart", "--metrics", "mig", "--metrics", "dci"], "--metrics is given more than once"),
        (["forget", "quickstart", "--metric", "mig", "--yes", "--metric", "dci"], "--metric is given more than once"),
        (["compare", "a.npz", "b.npz", "--metrics", ","], "--metrics is empty: name measures"),
        (["verify", "."], ".: a folder that is neither of results, a suite or a run, nor an archive"),
        (["verify", "http://[::1"], "http://[::1 is no address (Invalid IPv6 URL)"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2_and_makes_nothing(run_line, tmp_path, line, said):
    code, out, err = run_line(*line)
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_a_bare_benchmark_shows_help(run_line):
    code, out, err = run_line()
    assert (code, err) == (0, "")
    assert "Usage: " in out


def test_the_version_is_printed(run_line):
    assert run_line("--version") == (0, f"benchmark {benchmark.__version__}\n", "")


@pytest.mark.parametrize("line", [verb.split() for verb in VERBS], ids="-".join)
def test_help_shows_what_to_type_and_no_types_of_python(run_line, line):
    out = run_line(*line, "--help")[1]
    assert not re.search(r"<[a-z]|\blist\[|\bbool\b|\bTEXT\b|INTEGER|\bPath\b", out)
    assert "--json" in out, "every verb prints JSON where it is asked to"


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        (["ev"], {"evaluate"}),
        (["run", "quick"], {"quickstart"}),
        (["run", "quickstart", "--only", "mo"], {"model="}),
        (["run", "quickstart", "--only", "model=ae,beta_v"], {"model=ae,beta_vae", "model=ae,beta_vae_full"}),
        (["report", "quickstart", "--format", "l"], {"latex"}),
        (["report", "quickstart", "--columns", "mig,mcc"], {"mig,mcc"}),
        (["show", "metric", "mig_"], {"mig_sup"}),
        (["doctor", "metric", "mig_"], {"mig_sup"}),
        (["doctor", "model", "beta_v"], {"beta_vae", "beta_vae_full"}),
        (["doctor", "m"], {"metric", "model"}),
        (["data", "fetch", "mpi"], {"mpi3d", "mpi3d_complex"}),
        (["publish", "quickstart", "--as", "m"], {"margins"}),
        (["status", "a"], {"anchors", "a"}),
    ],
)
def test_the_shell_completes_names(monkeypatch, capsys, tmp_path, typed, completed):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "suites" / "a").mkdir(parents=True)
    (tmp_path / "results" / "suites" / "a" / "plan.json").touch()
    monkeypatch.setenv("_BENCHMARK_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", " ".join(["benchmark", *typed]))
    monkeypatch.setenv("COMP_CWORD", str(len(typed)))
    with pytest.raises(SystemExit):
        cli.app(prog_name="benchmark")
    assert set(capsys.readouterr().out.split()) == completed


def test_status_takes_a_suite(run_line, tmp_path):
    for name in ("one", "other"):
        (tmp_path / "results" / "suites" / name).mkdir(parents=True)
        plan = {"format": 1, "suite": name, "source": "", "runs": []}
        (tmp_path / "results" / "suites" / name / "plan.json").write_text(json.dumps(plan))
    assert [row["suite"] for row in json.loads(run_line("status", "other.toml", "--json")[1])] == ["other"]
    code, _, said = run_line("status", "othr")
    assert code == 2 and 'nothing of a suite "othr" (there: one, other); did you mean "other"?' in said


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", [0, 1, 2]), ("0,4", [0, 4]), ("2-5", [2, 3, 4, 5]), ("7,", [7]), ("4-4", [4])]
)
def test_seeds_are_a_number_a_list_or_a_range(run_line, asked, text, seeds):
    assert run_line("run", "quickstart", "--seeds", text)[0] == 0
    assert asked[0][0].seeds == seeds


def test_flags_arrive_as_they_are_meant(run_line, asked):
    line = ["--only", "model=vae,ae", "--only", "model=pca", "--only", "seed=1, 2", "--set", "training.steps=3"]
    more = [
        "--set",
        "model.kind=ii",
        "--set",
        "dataset.stride=[1, 2]",
        "--shard",
        "2/3",
        "--jobs",
        "0",
        "--retry-failed",
        "--device",
        "cuda",
    ]
    assert run_line("run", "quickstart", *line, *more)[0] == 0
    ((request, at),) = asked
    assert request.only == {"model": ["vae", "ae", "pca"], "seed": [1, 2]}
    assert request.overrides == {"training.steps": 3, "model.kind": "ii", "dataset.stride": [1, 2]}
    assert (request.shard, at.jobs, request.retry_failed, at.device) == ((2, 3), 0, True, "cuda")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BenchmarkError("the disk broke"), 1, "error: the disk broke\n"),
        (UsageError("no such thing"), 2, "error: no such thing\n"),
        (KeyboardInterrupt(), 130, "interrupted: nothing finished is lost; the same command carries on\n"),
    ],
)
def test_exit_codes(run_line, monkeypatch, error, code, said):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("benchmark.verbs.run.carry_out", fail)
    assert run_line("run", "quickstart") == (code, "", said)


def test_failed_runs_are_exit_code_1_with_their_reasons(run_line, monkeypatch):
    summary = RunSummary("mine", ["a-s0"], {"b-s0": "it diverged"}, 1)
    monkeypatch.setattr("benchmark.verbs.run.carry_out", lambda *_: summary)
    code, out, err = run_line("run", "mine.toml")
    assert code == 1
    assert out == "mine: 1 runs done, 1 of them now; 1 failed\n"
    assert err == "failed  b-s0: it diverged\nnext: benchmark run mine.toml --retry-failed\n"
    again = ["run", "my suite.toml", "--set", "training.steps=9", "--only", "model=vae", "--results", "my results"]
    said = run_line(*again)[2].splitlines()[-1]
    assert shlex.split(said.removeprefix("next: ")) == ["benchmark", *again, "--retry-failed"]
    assert run_line(*again, "--retry-failed")[2].count("--retry-failed") == 1


@pytest.mark.parametrize(
    ("verdict", "absent", "code"),
    [("same", 0, 0), ("missing", 0, 0), ("missing", 3, 1), ("same", 1, 1), ("worse", 3, 3)],
)
def test_a_check_ends_with_3_on_a_regression_and_with_1_where_a_score_is_gone(
    run_line, monkeypatch, verdict, absent, code
):
    one = Verdict(verdict, "shapes", "vae", "vae", "id", "mig", "mig", None, "mig/v1", "mean", absent=absent)
    monkeypatch.setattr("benchmark.verbs.check.check", lambda *_, **__: [one])
    found, _, err = run_line("check", "my.toml", "--against", "saved/my.csv")
    assert found == code
    accept = "benchmark publish my.toml --as table --to saved\n"
    assert err.endswith(accept) == (code == 1)


def test_an_accepted_submission_says_its_version_and_what_is_to_be_known(run_line, monkeypatch):
    calls = []

    def record(file, into, **choice):
        calls.append((str(file), into, choice))
        return Accepted(Path("boards/tiny/2"), "tiny/2", ["a-s0"], ["a note"])

    monkeypatch.setattr("benchmark.verbs.accept.accept", record)
    code, out, err = run_line("accept", "mine.zip", "--into", "tiny", "--plugin", "mine.py")
    assert (code, calls) == (0, [("mine.zip", "tiny", {"plugins": [Path("mine.py")]})])
    assert out == "note    a note\nboards/tiny/2: tiny/2, 1 run more\n"
    assert err == "next: benchmark report boards/tiny/2 --plugin mine.py\n"


def test_the_last_line_says_what_to_type_next(run_line, asked):
    assert run_line("run", "quickstart")[2] == "next: benchmark evaluate quickstart\n"
    assert run_line("run", "quickstart", "--results", "r")[2] == "next: benchmark evaluate quickstart --results r\n"
    said = run_line("run", "my suite.toml", "--results", "my results")[2]
    assert said == "next: benchmark evaluate 'my suite.toml' --results 'my results'\n"


def test_what_is_not_there_is_told_with_the_suite_as_it_was_typed(run_line, tmp_path):
    (tmp_path / "s.toml").write_text('description = "t"\nblock = []\n')
    for verb in ("evaluate", "report"):
        assert "next: benchmark run s.toml --results other\n" in run_line(verb, "s.toml", "--results", "other")[2]


def test_a_measure_is_found_in_capitals_and_by_its_scores(run_line):
    spellings = {
        "MIG": "mig", "pearson": "mcc", "Spearman": "mcc", "disentanglement": "dci", "mcc.pearson": "mcc",
        "MCC: Pearson": "mcc", "β-VAE score": "beta_vae_score", "Rényi bound": "renyi_bound", "MIG-sup": "mig_sup",
    }  # fmt: skip
    for text, name in spellings.items():
        assert json.loads(run_line("show", "metric", text, "--json")[1])["name"] == name
    assert json.loads(run_line("show", "metric", "mcc", "--json")[1])["scores"] == ["mcc.pearson", "mcc.spearman"]
    assert json.loads(run_line("show", "model", "BetaVAE", "--json")[1])["name"] == "beta_vae"
    assert 'did you mean "beta_vae"' in run_line("show", "model", "beta_va")[2]


def test_every_name_on_the_page_leads_back_to_its_measure():
    """A column's title is its name as people write it, and is typed as it is read."""
    for metric in registry.names("metric"):
        declaration = registry.load("metric", metric).declaration
        for score in (declaration.headline, *declaration.also):
            assert registry.metric_named(title(score_name(metric, score))) == metric
            assert registry.metric_named(score_name(metric, score).upper()) == metric


def test_list_as_json_holds_every_name(run_line):
    code, out, _ = run_line("list", "--json")
    assert code == 0
    known = json.loads(out)
    assert {kind: list(known[kind]) for kind in known} == {kind: registry.names(kind) for kind in registry.KINDS}
    assert list(json.loads(run_line("list", "metrics", "--json")[1])) == ["metric"]


def test_show_tells_settings_with_their_defaults(run_line):
    shown = json.loads(run_line("show", "model", "beta_vae", "--json")[1])
    assert shown["settings"]["beta"]["default"] == 4
    assert shown["version"] == 1
    assert "beta = 4" in run_line("show", "models", "beta_vae")[1]
    assert json.loads(run_line("show", "metric", "mig", "--json")[1])["direction"] == "higher is better"
    assert run_line("show", "suite", "quickstart")[1] == find("quickstart").read_text(), "a file to start from"


def test_doctor_passes_a_sound_measure_and_fails_a_broken_one(run_line, tmp_path):
    assert run_line("doctor", "metric", "active_units")[0] == 0
    broken = tmp_path / "sometimes.py"
    broken.write_text(
        "import numpy as np\nfrom benchmark import metric\n@metric()\n"
        "def sometimes(codes, *, seed: int = 0) -> dict[str, float]:\n    return {'sometimes': float('nan')}\n"
    )
    code, out, _ = run_line("doctor", "metric", "sometimes", "--plugin", str(broken))
    assert code == 1
    assert "FAILED  scores" in out


def test_data_verify_names_files_and_states(run_line, cache_folder):
    code, out, _ = run_line("data", "verify", "mnist", "--json")
    assert code == 1
    states = json.loads(out)["mnist"]
    assert len(states) == 4
    assert set(states.values()) == {"absent"}
    assert "train-images-idx3-ubyte.gz" in run_line("data", "verify", "mnist")[1]
    assert json.loads(run_line("data", "list", "--json")[1])["synth_linear"] == "no files needed"


def test_doctor_of_a_file_says_of_each_check_what_to_do(run_line, tmp_path):
    (tmp_path / "rows.py").write_text(ROWS)
    code, out, _ = run_line("doctor", "rows.py")
    assert (code, out.splitlines()[-1]) == (0, "rows: 3 passed, 0 failed")
    (tmp_path / "wild.py").write_text(ROWS.replace("rng.normal", "np.random.normal"))
    code, out, _ = run_line("doctor", "model", "wild", "--plugin", "wild.py")
    assert code == 1
    assert "FAILED  same generator: two generators of one seed give two tables of codes; draw" in out
    assert json.loads(run_line("doctor", "wild.py", "--json")[1])["codes"] == "passed"


MANY_MEANINGS = {"--name", "--dataset", "--output", "--to"}
"""Options that are another thing for another verb, and say so."""


def test_an_option_says_the_same_wherever_it_is_the_same():
    said = {}
    for verb in get_command(cli.app).commands.values():
        for option in (each for each in verb.params if each.param_type_name == "option"):
            said.setdefault(option.opts[0], set()).add(option.help)
    assert {name for name, helps in said.items() if len(helps) > 1} == MANY_MEANINGS


def test_the_environment_says_how_many_processes_work_where_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.verbs import _workplace

    monkeypatch.setattr(_workplace, "cores", lambda: 7)
    for said, expected in (("", 7), ("0", 0), ("3", 3)):
        monkeypatch.setenv("BENCHMARK_JOBS", said)
        assert _workplace.default_jobs() == expected
    monkeypatch.delenv("BENCHMARK_JOBS")
    assert _workplace.default_jobs() == 7
    for wrong in ("-1", "two", "1.5", "²"):
        monkeypatch.setenv("BENCHMARK_JOBS", wrong)
        with pytest.raises(UsageError, match=r"\$BENCHMARK_JOBS is '"):
            _workplace.default_jobs()
