"""What a dry run says: times as people write them."""

import pytest

from benchmark.stages.estimate import duration


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0, "0 s"),
        (0.0001, "1 s"),
        (20 / 3600, "20 s"),
        (0.05, "3 min"),
        (1.0, "60 min"),
        (4.5, "4.5 h"),
        (30, "30 h"),
        (442, "442 h, 18 days"),
        (12_000, "12,000 h, 500 days"),
    ],
)
def test_times_are_written_as_people_do(hours: float, text: str) -> None:
    assert duration(hours) == text
