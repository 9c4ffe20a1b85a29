"""Tables as Parquet in memory: small to write, and bounded to read, for a file of a few kilobytes may unpack to
terabytes."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from benchmark.archive.manifest import LARGEST
from benchmark.errors import UsageError

if TYPE_CHECKING:
    import pyarrow
    from pandas import DataFrame

ROOM = 4 * LARGEST
"""Bytes that a table may take in memory."""
MOST_ROWS = 5_000_000


def as_parquet(frame: DataFrame) -> bytes:
    """A table as Parquet, the same bytes for the same table."""
    written = BytesIO()
    frame.to_parquet(written, index=False, compression="zstd")
    return written.getvalue()


def from_parquet(content: bytes, where: str, needed: Iterable[str] = ()) -> DataFrame:
    """The table that `as_parquet` wrote. Raises `UsageError` where it is none, is too large, or lacks a column."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        head = parquet.ParquetFile(BytesIO(content))
        if head.metadata.num_rows > MOST_ROWS:
            raise UsageError(f"{where} has {head.metadata.num_rows:,} rows; at most {MOST_ROWS:,} are read")
        # Text is kept as its distinct values, so that a value that stands a million times is held once.
        text = [
            field.name for field in head.schema_arrow if pa.types.is_large_string(field.type) or field.type == "string"
        ]
        table = parquet.read_table(BytesIO(content), read_dictionary=text)
        size = _size(table)
        if size > ROOM:
            raise UsageError(f"{where} unpacks to {size / 2**30:.1f} GiB; a table takes at most {ROOM // 2**20} MiB")
        plain = pa.schema(
            [pa.field(f.name, _plain(f.type), metadata=f.metadata) for f in table.schema], table.schema.metadata
        )
        frame = table.cast(plain).to_pandas(ignore_metadata=False)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{where} cannot be read as Parquet ({reason})") from None
    missing = [name for name in needed if name not in frame]
    if missing:
        raise UsageError(f"{where} lacks the column {missing[0]}")
    return frame


def _plain(kind: pyarrow.DataType) -> pyarrow.DataType:
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _size(table: pyarrow.Table) -> int:
    """Bytes of a table whose repeated texts are written out."""
    import pyarrow as pa
    from pyarrow import compute

    size = 0
    for column in table.columns:
        for chunk in column.chunks:
            if pa.types.is_dictionary(chunk.type):
                lengths = compute.binary_length(chunk.dictionary).take(chunk.indices)
                size += int(compute.sum(lengths).as_py() or 0) + 8 * len(chunk)
            else:
                size += chunk.nbytes
    return size
