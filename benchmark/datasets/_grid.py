"""What datasets of every combination of their factors share: settings of what of the grid is trained on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from benchmark.datasets._dataset import Dataset
from benchmark.datasets._shift import ShiftSettings, check_shift


class Grid(Dataset):
    """Base of these datasets. Wrong names and shares are refused when one is made, before anything is loaded."""

    class Settings(Dataset.Settings, ShiftSettings):
        pass

    settings: Settings

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        check_shift(self.settings, self.sizes)

    @property
    @abstractmethod
    def sizes(self) -> Mapping[str, int]:
        """The number of values of each factor, by name, at these settings."""

    @property
    def shifted(self) -> bool:
        return self.settings.shifted
