"""A trained model becomes codes: posteriors of every point, and what the measures and pictures need of the decoder."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from benchmark.codes import TRAINED_ON, Codes
from benchmark.datasets._dataset import Data
from benchmark.errors import ModelError
from benchmark.models._model import Anchor, Embedding, Transductive
from benchmark.models._neural import NeuralModel
from benchmark.seeds import stream
from benchmark.spec import Run
from benchmark.stages.kept import ASKED
from benchmark.stages.points import (
    BATCH,
    PICTURES,
    SAMPLES,
    Decode,
    as_bytes,
    chunks,
    flattened,
    images,
    prior_samples,
    sample,
)
from benchmark.stages.studies import Trained, study
from benchmark.stages.studies.decoder import affine, seen_by
from benchmark.suite import EncodingSettings

JACOBIANS = 1_000
"""Points at which the decoder's Jacobian is taken."""
JACOBIANS_AT_ONCE = 50
RECONSTRUCTIONS = 10_000
"""Points whose reconstruction loss is kept."""
SAMPLES_AT_ONCE = 500
"""Codes of one point decoded together: a convolution's layers of 500 images take 300 MB."""
TRAVERSAL = np.linspace(-3, 3, 10, dtype=np.float32)
"""Where a coordinate is put in a latent traversal (M Fig. 5.5)."""
TRAVERSED = 2
"""Images whose latent code is traversed."""


def encode_anchor(model: Anchor, data: Data, run: Run) -> Codes:
    """Codes made from the factors alone."""
    rows = data.evaluation_rows
    factors = data.factors[rows]
    return Codes(
        means=model.codes(factors, stream(run.run_id, "codes")),
        factors=factors,
        factor_names=data.factor_names,
        factor_sizes=data.factor_sizes,
        grid=data.grid,
        arrays=trained_on(data),
    )


def trained_on(data: Data) -> dict[str, ndarray]:
    """Which evaluation points are combinations of factors that were trained on, where some were not."""
    return {} if data.unseen is None else {TRAINED_ON: ~data.unseen}


def encode_embedding(model: Embedding, data: Data, run: Run, embedded: ndarray | None = None) -> Codes:
    """Codes of a fitted embedding, with its Jacobians and pictures where it decodes.

    Of a transductive one, codes of the rows `embedded` that it was fitted to, which `arrays` keeps.

    Raises `ModelError` where they are not all finite.
    """
    rows, arrays = data.evaluation_rows, {}
    if isinstance(model, Transductive):
        assert embedded is not None
        rows, means, arrays = embedded, model.codes, {"embedded_rows": embedded}
    else:
        means = np.concatenate([model.transform(flattened(data, chunk)) for chunk in chunks(rows)])
    if not np.isfinite(means).all():
        raise ModelError("the embedding gives codes that are not finite numbers")

    def decode(z: ndarray) -> ndarray:
        decoded = model.decode(z)
        assert decoded is not None
        return decoded.reshape(len(z), *data.shape)

    if model.decode(means[:1]) is not None:
        jacobian = model.jacobian(means[sample(run, "jacobian", len(rows), JACOBIANS)])
        if jacobian is not None:
            arrays |= singular_vectors(np.asarray(jacobian))
            arrays["v_logits"] = arrays["v"]  # what it decodes to is the mean itself
        arrays |= pictures(decode, means, None, data, rows, run, prior=model.standardised)
    codes = Codes(
        means=means,
        factors=data.factors[rows],
        factor_names=data.factor_names,
        factor_sizes=data.factor_sizes,
        grid=data.grid and embedded is None,
        arrays=arrays,
    )
    codes.arrays.update(study(Trained(model, data, codes, run)))
    if embedded is None:  # what was fitted to the points that it is scored on has left none unseen
        codes.arrays.update(trained_on(data))
    return codes


def encode_neural(
    model: NeuralModel,
    data: Data,
    run: Run,
    encoding: EncodingSettings | None = None,
    parts: Collection[str] = tuple(ASKED),
) -> Codes:
    """Codes of a trained network: means, one sample and, where the posterior is a diagonal Gaussian and the prior
    N(0, I), variances of every evaluation point; and beside them what pictures and studies need, and those `parts` of
    `ASKED`, of which `encoding` says how much. Each array has streams of its own: none depends on what else is kept.

    Raises `ModelError` where they are not all finite.
    """
    tables = posterior_tables(model, data, stream(run.run_id, "encode.sample"))
    if not all(np.isfinite(table).all() for table in tables.values()):
        raise ModelError("the encoder gives codes that are not finite numbers")
    codes = Codes(
        means=tables["means"],
        variances=tables.get("variances"),
        samples=tables.get("samples"),
        factors=data.factors[data.evaluation_rows],
        factor_names=data.factor_names,
        factor_sizes=data.factor_sizes,
        grid=data.grid,
        arrays=trained_on(data),
    )
    if model.decodes:
        codes.arrays.update(asked(model, codes, data, run, encoding or EncodingSettings(), parts))
        codes.arrays.update(shown(model, codes, data, run))
    return codes


def prepare(model: NeuralModel) -> None:
    """A model as it is encoded, whatever trained it: the layout decides the order of the arithmetic, hence the bits."""
    import torch

    model.eval()
    for parameter in model.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.to(memory_format=torch.channels_last)


def asked(
    model: NeuralModel, codes: Codes, data: Data, run: Run, encoding: EncodingSettings, parts: Collection[str]
) -> dict[str, ndarray]:
    """The arrays of some parts of `ASKED`, from a prepared model and its codes."""
    n = len(data.evaluation_rows)
    found: dict[str, ndarray] = {}
    if "jacobian" in parts:
        found |= directions(model, codes.means[sample(run, "jacobian", n, JACOBIANS)])
    if "reconstruction" in parts:
        found |= reconstructions(model, codes, data, sample(run, "reconstruction", n, RECONSTRUCTIONS))
    if "log_weights" in parts:
        found |= log_weights(model, data, run, encoding)
    return found


def shown(model: NeuralModel, codes: Codes, data: Data, run: Run) -> dict[str, ndarray]:
    """The arrays behind pictures, and those of every study."""
    import torch

    def decode(z: ndarray) -> ndarray:
        with torch.no_grad():
            return model.mean_image(model.decode(torch.from_numpy(z))).numpy()

    prior = codes.samples is not None or model.matches_prior
    drawn = prior_samples(model, run) if prior else None
    found = decoder_weights(model)
    found |= pictures(decode, codes.means, codes.variances, data, data.evaluation_rows, run, prior=prior, drawn=drawn)
    return found | study(Trained(model, data, codes, run))


def posterior_tables(model: NeuralModel, data: Data, rng: np.random.Generator) -> dict[str, Float[ndarray, "n d"]]:
    """`means` of every evaluation point and, where a model has them, `variances` and `samples`."""
    import torch

    prepare(model)
    rows = data.evaluation_rows
    tables: dict[str, ndarray] = {}
    with torch.no_grad():
        for start, chunk in enumerate(chunks(rows)):
            eps = torch.from_numpy(rng.standard_normal((len(chunk), model.noise_size), dtype=np.float32))
            (mu, logvar, _), z, _ = model.sample(torch.from_numpy(images(data, chunk)), eps)
            found = {"means": mu, "variances": None if logvar is None else logvar.exp(), "samples": z}
            for name, part in found.items():
                if part is None:
                    continue
                # Filled in place: kept one by one, small arrays would split the memory that large layers come back to.
                if name not in tables:
                    tables[name] = np.empty((len(rows), part.shape[1]), dtype=np.float32)
                tables[name][start * BATCH : start * BATCH + len(chunk)] = part.numpy()
    return tables


def together(z: Float[ndarray, "m d"]) -> list[ndarray]:
    """Codes in pieces whose Jacobians are taken at once."""
    return np.array_split(z, max(1, len(z) // JACOBIANS_AT_ONCE))


class Jacobians(NamedTuple):
    """Derivatives of a decoder at some codes: of its output, which are logits under a Bernoulli likelihood, and of the
    mean image E[x|z]. Under a Gaussian likelihood the two are one."""

    logits: Float[ndarray, "m D d"]
    mean_image: Float[ndarray, "m D d"]


def jacobians(model: NeuralModel, z: Float[ndarray, "m d"]) -> Jacobians:
    """Both at each code, by forward differentiation: one tangent for each coordinate."""
    import warnings

    import torch
    from torch.func import jvp, vmap

    def decode(z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        output = model.decode(z)
        return output.flatten(1), model.mean_image(output).flatten(1)

    parts: list[list[ndarray]] = []
    with torch.no_grad(), warnings.catch_warnings():
        # The first forward derivative makes torch script its own code, and deprecate that.
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", DeprecationWarning)
        for chunk in together(z):
            points = torch.from_numpy(chunk)
            tangents = torch.eye(z.shape[1]).unsqueeze(1).expand(-1, len(chunk), -1)
            columns = vmap(lambda tangent: jvp(decode, (points,), (tangent,))[1])(tangents)  # noqa: B023
            parts.append([column.permute(1, 2, 0).numpy() for column in columns])
    return Jacobians(*map(np.concatenate, zip(*parts, strict=True)))


def directions(model: NeuralModel, z: Float[ndarray, "m d"]) -> dict[str, ndarray]:
    """`v` and the singular values of the mean image's Jacobian at each code, and `v_logits` of that of the logits."""
    pieces = []
    # By pieces: the decomposition takes several times the Jacobians' own memory, 160 MB for images of 64 × 64.
    for part in together(z):
        found = jacobians(model, part)
        own = singular_vectors(found.mean_image)
        same = np.array_equal(found.logits, found.mean_image)
        pieces.append(own | {"v_logits": own["v"] if same else singular_vectors(found.logits)["v"]})
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def singular_vectors(jacobian: Float[ndarray, "m D d"]) -> dict[str, ndarray]:
    """V and the singular values of J = U Σ Vᵀ at each point: `v` (m d d), its columns by falling value (R eq. 29)."""
    # In double precision: the smallest singular values of a decoder with passive coordinates are tiny.
    # With more coordinates than data dimensions the null space belongs to V as well.
    wide = jacobian.shape[1] < jacobian.shape[2]
    _, values, vt = np.linalg.svd(jacobian.astype(np.float64), full_matrices=wide)
    return {"v": vt.transpose(0, 2, 1), "singular_values": values}


def reconstructions(model: NeuralModel, codes: Codes, data: Data, chosen: ndarray) -> dict[str, ndarray]:
    """−log p(x|z) of a sample of points in nats, at z = μ and at one sampled z."""
    import torch

    terms: dict[str, list[ndarray]] = {}
    representations = {"reconstruction_mean": codes.means}
    if codes.samples is not None:
        representations["reconstruction_sample"] = codes.samples
    with torch.no_grad():
        for part in chunks(chosen):
            x = torch.from_numpy(images(data, data.evaluation_rows[part]))
            for name, z in representations.items():
                nats = model.nats(x, model.decode(torch.from_numpy(z[part])))
                terms.setdefault(name, []).append(nats.double().numpy())
    return {name: np.concatenate(parts) for name, parts in terms.items()}


def log_weights(model: NeuralModel, data: Data, run: Run, encoding: EncodingSettings) -> dict[str, ndarray]:
    """log p(x|z) + log p(z) − log q(z|x) in nats of a sample of points (p) and samples z ~ q(z|x) of each (s).

    The points are the same for every run on a dataset: images differ by more than models do.
    None where the posterior has no density: from a deterministic encoder, or one known by its samples alone.
    """
    import torch

    rows = data.evaluation_rows
    draw = stream(run.dataset.name, "encode.likelihood")
    chosen = np.sort(draw.permutation(len(rows))[: encoding.likelihood_points])
    rng = stream(run.run_id, "encode.likelihood.samples")
    shape = (encoding.likelihood_samples, model.noise_size)
    found = np.empty((len(chosen), encoding.likelihood_samples), dtype=np.float32)
    with torch.no_grad():
        for place, row in enumerate(chosen):
            x = torch.from_numpy(images(data, rows[[row]]))
            eps = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
            for start in range(0, len(eps), SAMPLES_AT_ONCE):
                _, z, log_q = model.sample(x, eps[start : start + SAMPLES_AT_ONCE])
                if z is None or log_q is None:
                    return {}
                nats = model.nats(x.expand(len(z), *x.shape[1:]), model.decode(z))
                found[place, start : start + len(z)] = (model.log_prior(z) - nats - log_q).numpy()
    return {"log_weights": found} if len(found) else {}


def decoder_weights(model: NeuralModel) -> dict[str, ndarray]:
    """The decoder's first layer (h d), a column for each coordinate (S §4.2.2); none where it is not linear.

    The columns are those of the codes that are kept: a model that unmixes them, such as `ae_ica`, mixes them before it.
    """
    import torch

    decoder = getattr(model, "decoder", None)
    first = next((layer for layer in decoder.modules() if not list(layer.children())), None) if decoder else None
    if not isinstance(first, torch.nn.Linear):
        return {}
    mapped, _ = affine(lambda z: seen_by(first, model, z)[0], model.latents)
    return {"decoder_weights": first.weight.detach().numpy() @ mapped}


def pictures(
    decode: Decode,
    means: ndarray,
    variances: ndarray | None,
    data: Data,
    rows: Integer[ndarray, " n"],
    run: Run,
    *,
    prior: bool,
    drawn: ndarray | None = None,
) -> dict[str, ndarray]:
    """The arrays behind a run's pictures, as bytes from 0 to 255; none for data that are not images.

    `rows`: the data's rows that the codes are of. `drawn`: codes drawn from the prior, where it is not the standard
    normal.

    Traversals go from −3 to 3 where the codes are standardised (`prior`), otherwise in standard deviations around
    each coordinate's mean.
    """
    if len(data.shape) != 3:
        return {}
    d = means.shape[1]
    chosen = sample(run, "pictures", len(rows), PICTURES)
    centre, spread = (np.zeros(d), np.ones(d)) if prior else (means.mean(0), means.std(0))
    traversed = walks(means[chosen[:TRAVERSED]], centre, spread, TRAVERSAL)
    shape = traversed.shape[:3]
    found = {
        "picture_images": as_bytes(images(data, rows[chosen])),
        "picture_reconstructions": as_bytes(decode(means[chosen])),
        "picture_traversals": as_bytes(decode(traversed.reshape(-1, d))).reshape(*shape, *data.shape),
        "picture_traversal_images": as_bytes(images(data, rows[chosen[:TRAVERSED]])),
    }
    if prior:
        if drawn is None:
            drawn = stream(run.run_id, "encode.samples").standard_normal((SAMPLES, d), dtype=np.float32)
        found["picture_samples"] = as_bytes(decode(drawn))
    if variances is not None:
        kl = 0.5 * (means**2 + variances - np.log(variances) - 1).mean(0, dtype=np.float64)
        found["picture_coordinate_kl"] = kl
    return found


def walks(
    starts: Float[ndarray, "s d"], centre: Float[ndarray, " d"], spread: Float[ndarray, " d"], at: Float[ndarray, " t"]
) -> Float[ndarray, "s d t d"]:
    """Codes on latent traversals: of each start, each coordinate alone at `at` spreads from its centre."""
    d = starts.shape[1]
    walked = np.repeat(starts[:, None, None], len(at), axis=2).repeat(d, axis=1)
    for j in range(d):
        walked[:, j, :, j] = centre[j] + spread[j] * at
    return walked
