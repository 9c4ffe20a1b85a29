"""MPI3D-complex: photographs of MPI3D's robot arm with a cup, a ball or a croissant (Gondal et al. 2019)."""

from __future__ import annotations

from benchmark.datasets._files import RemoteFile
from benchmark.datasets._mpi3d import RobotArm

FILE = "real3d_complicated_shapes_ordered.npz"


class Mpi3dComplex(RobotArm):
    """460,800 colour images (N 3 64 64) over the factors of `mpi3d`, of other objects in fewer colours.

    Object colour 4 (yellow, green, olive, red), shape 4 (coffee cup, tennis ball, croissant, beer cup) and size 2,
    camera height 3, background colour 3, and the arm's two axes, 40 each. The archive takes 5.7 GB unpacked, and with
    its channels first as much again. Its authors offer it by a page of Google Drive that asks a person; it is fetched
    from copies at Hugging Face, of which nobody has published a digest.
    """

    files = (
        RemoteFile(
            "mpi3d_complex",
            FILE,
            f"https://huggingface.co/datasets/galilai-group/mpi3d-complex/resolve/main/{FILE}",
            None,
            (f"https://huggingface.co/datasets/randall-lab/mpi3d-complex/resolve/main/{FILE}",),
        ),
    )
    name = "mpi3d_complex"
    factor_sizes = (4, 4, 2, 3, 3, 40, 40)
