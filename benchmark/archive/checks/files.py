"""Every file is there, of the size and with the sha256 that archive.json says, and none besides."""

from __future__ import annotations

from benchmark.archive.checks.content import Check
from benchmark.archive.opening import Archive
from benchmark.errors import BenchmarkError


def check_files(archive: Archive) -> Check:
    wrong = []
    for name in archive.manifest.files:
        try:
            archive.read(name)
        except BenchmarkError as error:
            wrong.append(str(error))
        except OSError as error:
            wrong.append(f"{archive.place.where}: {name} cannot be read ({error.strerror or error})")
    wrong += [f"{archive.place.where}: {name} is not in archive.json: no digest names it" for name in archive.unlisted]
    listed = archive.manifest.files
    size = sum(file.size for file in listed.values()) / 1e6
    return Check("files", f"{len(listed):,} files, {size:,.2f} MB, are what archive.json says of them", tuple(wrong))
