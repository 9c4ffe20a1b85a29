"""MPI3D: a robot arm that holds an object, drawn, rendered or photographed, over seven factors (Gondal et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from benchmark.datasets._files import RemoteFile
from benchmark.datasets._mpi3d import RobotArm
from benchmark.datasets._published import PublishedGrid
from benchmark.spec import static

KINDS = ("toy", "realistic", "real")


class Mpi3d(RobotArm):
    """1,036,800 colour images (N 3 64 64) of one kind: `toy` drawings, `realistic` renderings or `real` photographs.

    Factors: object colour 6, shape 6 and size 2, camera height 3, background colour 3, and the arm's two axes, 40 each.
    A kind takes 12.7 GB, and unpacked, with its channels first, as much again. `benchmark data fetch mpi3d --set
    kind=toy` fetches one, from the authors' first address or the one that they name now. No digest is published.
    `mpi3d_complex` has the photographs of other objects.
    """

    class Settings(PublishedGrid.Settings):
        kind: Literal["toy", "realistic", "real"] = static("real", "drawings, renderings or photographs")

    files = tuple(
        RemoteFile(
            "mpi3d",
            f"mpi3d_{kind}.npz",
            f"https://storage.googleapis.com/disentanglement_dataset/Final_Dataset/mpi3d_{kind}.npz",
            None,
            (f"https://huggingface.co/datasets/waleedgondal/mpi3d/resolve/main/mpi3d_{kind}.npz",),
        )
        for kind in KINDS
    )
    name = "mpi3d"
    factor_sizes = (6, 6, 2, 3, 3, 40, 40)
    settings: Settings

    def wanted(self) -> Sequence[RemoteFile]:
        """The file of the chosen kind."""
        return (self.files[KINDS.index(self.settings.kind)],)
