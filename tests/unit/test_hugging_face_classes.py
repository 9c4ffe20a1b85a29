"""The classes of a discrete factor in a dataset of Hugging Face, which knows labels 0, …, n − 1 alone."""

import numpy as np
import pytest

from benchmark.integrations.hugging_face import _size, classes


@pytest.mark.parametrize(
    ("values", "size", "found"),
    [
        ([0, 2, 1, 0], 3, [0, 2, 1, 0]),
        ([0, 2, 2, 0], 3, [0, 2, 2, 0]),  # a value that no point has keeps its place
        ([1, 2, 3, 1], 3, [0, 1, 2, 0]),
        ([0.0, 0.5, 1.0, 0.5], 3, [0, 1, 2, 1]),
        ([-1, 1, 1, -1], 2, [0, 1, 1, 0]),  # −1 would be read as: no label
    ],
)
def test_classes_are_places_in_ascending_order(values, size, found):
    assert classes(np.array(values), size).tolist() == found
    own = _size(np.array(values))
    assert all(0 <= each < own for each in classes(np.array(values), own))
