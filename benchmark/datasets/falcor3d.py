"""Falcor3D: 233,280 rendered pictures of a living room, over lighting and camera: seven factors (Nie et al. 2020)."""

from __future__ import annotations

from benchmark.datasets._files import RemoteFile
from benchmark.datasets._numbered import NumberedGrid


class Falcor3d(NumberedGrid):
    """Colour images (N 3 r r), of the smaller published ones of 128 × 128 pixels (3.7 GB).

    Lighting intensity 5 and direction in x, y and z 6 each, camera position in x, y and z 6 each. Unpacked at 64 × 64
    the images take 2.9 GB. The authors offer the archive by a page that asks a person.
    """

    files = (
        RemoteFile(
            "falcor3d",
            "Falcor3D_down128.zip",
            "https://drive.google.com/uc?export=download&id=1XAQfFK1x6cpN1eiovbP0hVfLTm5SsSoJ",
            None,
            by_hand=True,
        ),
    )
    name = "falcor3d"
    factor_names = (
        "lighting_intensity",
        "lighting_x",
        "lighting_y",
        "lighting_z",
        "camera_x",
        "camera_y",
        "camera_z",
    )
    factor_sizes = (5, 6, 6, 6, 6, 6, 6)
