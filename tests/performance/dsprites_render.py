"""Time drawing dSprites: python tests/performance/dsprites_render.py [RESOLUTION]. Goal: the whole grid in 15 s."""

import sys
import time

from benchmark.datasets._sprites import SIZES, packed_grid

resolution = int(sys.argv[1]) if len(sys.argv) > 1 else 64
start = time.perf_counter()
images = sum(len(block) for block in packed_grid((1,) * len(SIZES), resolution))
seconds = time.perf_counter() - start
print(
    f"{images:,} images of {resolution} × {resolution} on one core: {seconds:.2f} s, {images / seconds:,.0f} images/s"
)
