"""Time drawing dSprites: python tests/performance/dsprites_render.py [RESOLUTION]. Goal: the whole grid in 15 s."""

import sys
import time

from benchmark.datasets._sprites import SIZES, packed_grid


def draw(resolution: int) -> tuple[int, float]:
    """The images of the whole grid, and the seconds that drawing them on one core takes."""
    start = time.perf_counter()
    images = sum(len(block) for block in packed_grid((1,) * len(SIZES), resolution))
    return images, time.perf_counter() - start


def measure(resolution: int = 64) -> list[tuple[str, str, None, None, str]]:
    """Seconds on one core."""
    images, seconds = draw(resolution)
    return [(f"draw {images:,} dSprites of {resolution} × {resolution}", f"{seconds:.1f} s", None, None, "< 15 s")]


if __name__ == "__main__":
    side = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    drawn, took = draw(side)
    print(f"{drawn:,} images of {side} × {side} on one core: {took:.2f} s, {drawn / took:,.0f} images/s")
