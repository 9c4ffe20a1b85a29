"""Isaac3D: 737,280 rendered pictures of a kitchen with a robot arm, over nine factors (Nie et al. 2020)."""

from __future__ import annotations

from benchmark.datasets._files import RemoteFile
from benchmark.datasets._numbered import NumberedGrid


class Isaac3d(NumberedGrid):
    """Colour images (N 3 r r), of the smaller published ones of 128 × 128 pixels (13 GB).

    Object shape 3, the robot's movement in x 8 and y 5, camera height 4, object scale 4, lighting intensity 4 and
    direction 6, object colour 4 and wall colour 4: in the order of the authors' code and labels, which Hsu et al. 2023
    follow too. Their text has scale and camera height before the robot's movements; were that the order, the labels
    in the archive would not fit, and it is refused. Unpacked at 64 × 64 the images take 9.1 GB, and making them, a
    picture at a time, some twenty minutes. The authors offer the archive by a page that asks a person.
    """

    files = (
        RemoteFile(
            "isaac3d",
            "Isaac3D_down128.zip",
            "https://drive.google.com/uc?export=download&id=1OmQ1G2wnm6eTsSFGTKFZZAh5D3nQTW1B",
            None,
            by_hand=True,
        ),
    )
    name = "isaac3d"
    factor_names = (
        "object_shape",
        "robot_x",
        "robot_y",
        "camera_height",
        "object_scale",
        "lighting_intensity",
        "lighting_direction",
        "object_color",
        "wall_color",
    )
    factor_sizes = (3, 8, 5, 4, 4, 4, 6, 4, 4)
