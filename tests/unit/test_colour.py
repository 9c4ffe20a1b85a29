"""Images of three channels, from the encoder's table to the page's pixels: none is dropped, mixed or exchanged."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO

import numpy as np
import pytest
import torch
from numpy import ndarray
from small import small_run, table

from benchmark.codes import Codes
from benchmark.datasets._dataset import Data
from benchmark.models.beta_vae import BetaVAE
from benchmark.models.pca import PCA
from benchmark.networks.conv import AnyConv
from benchmark.stages.encode import encode_embedding, encode_neural
from benchmark.stages.points import flattened
from benchmark.stages.studies import Trained
from benchmark.stages.studies import decoder as explorer
from leaderboard.explorer import fragment
from leaderboard.few_colours import SEEN, compact
from leaderboard.pictures import reconstructions, traversals
from leaderboard.style import Figure
from leaderboard.tiles import png

SIDE = 16
RUN = small_run()


def flags() -> Data:
    """36 images: a red left half and a green right half, each of six brightnesses, no blue."""
    levels = np.indices((6, 6)).reshape(2, -1).T
    images = np.zeros((36, 3, SIDE, SIDE), np.uint8)
    images[:, 0, :, : SIDE // 2] = 40 * levels[:, 0, None, None] + 20
    images[:, 1, :, SIDE // 2 :] = 40 * levels[:, 1, None, None] + 20
    return table(images, levels, maximum=255)


@cache
def principal() -> tuple[PCA, Codes]:
    """Two principal axes hold these images exactly."""
    data = flags()
    x = flattened(data, data.training_rows)
    model = PCA(PCA.Settings(latents=2)).fit(x, np.random.default_rng(0))
    return model, encode_embedding(model, data, RUN)


def decoded(data: bytes) -> ndarray:
    from PIL import Image

    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def colours(figure: Figure) -> set[str]:
    """The pure colours on a sheet: of what the images hold, apart from its white ground and dark letters."""
    r, g, b = (decoded(figure.data)[..., c].astype(int) for c in range(3))
    pure = {"red": (r, g, b), "green": (g, r, b), "blue": (b, r, g)}
    return {name for name, (own, *others) in pure.items() if ((own > 100) & (max(others, key=np.sum) < 30)).sum() > 50}


def test_a_traversal_moves_the_channel_that_its_coordinate_holds() -> None:
    data, (_, codes) = flags(), principal()
    walk = codes.arrays["picture_traversals"].astype(float)[0]
    assert walk.shape[2:] == (3, SIDE, SIDE)
    moved = walk.std(axis=1).mean(axis=(2, 3))
    strength = np.abs(np.corrcoef(np.hstack([codes.means, data.factors]).T))[:2, 2:]
    for j in range(2):
        # Of two axes of equal variance each may hold both halves: as much as it is correlated with them.
        assert moved[j, 2] == 0
        assert moved[j, 0] / moved[j, :2].sum() == pytest.approx(strength[j, 0] / strength[j].sum(), abs=0.1)


def test_the_page_draws_red_and_green_and_no_blue() -> None:
    arrays = principal()[1].arrays
    assert colours(traversals.pictures(arrays, "flags")[0]) == {"red", "green"}
    swapped = {name: value[..., ::-1, :, :] for name, value in arrays.items() if name == "picture_traversals"}
    assert colours(traversals.pictures(swapped, "flags")[0]) == {"green", "blue"}, "the test can fail"
    np.testing.assert_array_equal(arrays["picture_images"][:, 2], 0)
    assert colours(reconstructions.pictures(arrays, "flags")[0]) >= {"red", "green"}


def test_the_explorer_draws_what_the_decoder_does_in_every_channel() -> None:
    model, codes = principal()
    stored = explorer.arrays(Trained(model, flags(), codes, RUN))
    listed = json.loads(stored["explorer_program"].tobytes())
    assert listed["shape"] == [3, SIDE, SIDE]
    exact = explorer.exact_decoder(Trained(model, flags(), codes, RUN))
    assert exact is not None
    images = exact[0](codes.means[:6])
    np.testing.assert_allclose(images * 255, flags().images[:6], atol=0.1)
    largest, mean = stored["explorer_error"]
    assert largest < 0.03 and mean < 0.01
    page = fragment({**codes.arrays, **stored}, "flags", "c0")
    assert page is not None and "data:image/png" in page


def test_a_likelihood_is_the_sum_over_channels() -> None:
    """−log p of a colour image is that of its three channels as images of one, by either likelihood."""
    x = torch.from_numpy(flags().images[:5] / np.float32(255))
    output = torch.randn(5, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    for likelihood, sigma in (("bernoulli", 0.0), ("gaussian", 0.1)):
        settings = BetaVAE.Settings.read({"likelihood": likelihood, "sigma": sigma, "beta": 1.0}, "model")
        network = AnyConv(AnyConv.Settings(latents=2), (3, SIDE, SIDE))
        model = BetaVAE(settings, network, 100)
        whole = model.nats(x, output)
        parts = [model.nats(x[:, c : c + 1], output[:, c : c + 1]) for c in range(3)]
        torch.testing.assert_close(whole, parts[0] + parts[1] + parts[2])


def test_a_network_of_the_family_encodes_and_draws_colour() -> None:
    settings = BetaVAE.Settings.read({"likelihood": "bernoulli", "beta": 1.0}, "model")
    torch.manual_seed(0)
    model = BetaVAE(settings, AnyConv(AnyConv.Settings(latents=2), (3, SIDE, SIDE)), 100).eval()
    codes = encode_neural(model, flags(), RUN, parts=("reconstruction",))
    assert codes.arrays["picture_reconstructions"].shape[1:] == (3, SIDE, SIDE)
    assert len(codes.arrays["reconstruction_mean"]) == 36
    rolled = table(flags().images[:, [2, 0, 1]], flags().factors, maximum=255)
    assert not np.allclose(encode_neural(model, rolled, RUN, parts=()).means, codes.means), "channels are not alike"


def test_a_palette_keeps_the_colour_of_a_small_object() -> None:
    """A red spot of 16 pixels before colours of noise: by how many pixels have a colour, no palette would keep it."""
    from PIL import Image

    noise = np.random.default_rng(0).integers(100, 156, (200, 200, 3)).astype(np.uint8)
    spot = noise.copy()
    spot[50:54, 70:74] = (255, 0, 0)
    kept = decoded(compact(png(spot)))
    np.testing.assert_allclose(kept[51, 71], (255, 0, 0), atol=SEEN)
    assert np.abs(kept.astype(int) - spot).max() <= SEEN
    few = Image.open(BytesIO(compact(png(noise[..., :1].repeat(3, axis=-1)))))
    assert few.mode == "P" and len(few.getcolors()) <= 64, "greys stay small"
    lost = Image.fromarray(spot).quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    assert np.abs(np.asarray(lost)[51, 71].astype(int) - (255, 0, 0)).max() > SEEN, "the test can fail"
