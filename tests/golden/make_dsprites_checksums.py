"""Write dsprites_checksums.npz from the real images: python tests/golden/make_dsprites_checksums.py FILE.npz

`digests`: the first 4 bytes of the sha256 of each of the 46,080 images, packed to bits, in the file's order.
`different`: the rows whose drawn image is not the real one.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
from jaxtyping import UInt8, UInt32
from numpy import ndarray

from benchmark.datasets.dsprites import render

CHECKSUMS = Path(__file__).parent / "dsprites_checksums.npz"
SIZES, STRIDE = (3, 6, 10, 16, 16), (1, 1, 4, 2, 2)


def factors() -> ndarray:
    """Indices (46,080 5) into the full grid of the images that were published as a subset."""
    return np.indices(SIZES).reshape(len(SIZES), -1).T * STRIDE


def digests(images: UInt8[ndarray, "n h w"]) -> UInt32[ndarray, " n"]:
    """Four bytes for each image."""
    packed = np.packbits(images.reshape(len(images), -1), axis=1)
    return np.frombuffer(b"".join(hashlib.sha256(image).digest()[:4] for image in packed), ">u4").astype(np.uint32)


if __name__ == "__main__":
    real = np.load(sys.argv[1], allow_pickle=False)["imgs"]
    different = np.flatnonzero((render(factors()) != real).any(axis=(1, 2)))
    np.savez_compressed(CHECKSUMS, digests=digests(real), different=different)
    print(f"{CHECKSUMS}: {CHECKSUMS.stat().st_size} bytes, {len(different)} of {len(real)} images differ: {different}")
