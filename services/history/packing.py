"""What is counted, as the tables keep it: of a quarter of an hour in three columns, of a whole season in one."""

import json
import struct
from typing import Any, Final

import numpy as np

from services.history.domain.columns import Columns
from services.history.domain.measures import Counts, Measures

#: Bytes of one number of counts.
_WIDTH: Final = 8
_COUNTS: Final = struct.Struct(f"<{len(Counts._fields)}q")
#: How each column of a season is written, in this order.
_SHAPES: Final = (
    ("start_us", "<i8"), ("conversation", "<i4"), ("counts", "<i8"), ("word_count", "<i4"), ("word", "<u2"),
    ("named_count", "<i4"), ("name", "<i4"), ("named", "<i8"),
)  # fmt: skip
_HEADER: Final = struct.Struct("<I")


def quarter_columns(measures: Measures) -> dict[str, Any]:
    """The columns of a quarter."""
    vocabulary = measures.vocabulary
    return {
        "counts": _COUNTS.pack(*measures.counts),
        "vocabulary": vocabulary.to_bytes((vocabulary.bit_length() + 7) // 8, "little"),
        "named": json.dumps(dict(measures.named), separators=(",", ":")),
    }


def measures_of(counts: bytes, vocabulary: bytes, named: str) -> Measures:
    """The measures in the columns of a quarter; numbers that were not counted when it was written are 0."""
    whole = counts.ljust(_COUNTS.size, b"\0")
    return Measures(Counts._make(_COUNTS.unpack(whole)), int.from_bytes(vocabulary, "little"), json.loads(named))


def packed(columns: Columns) -> bytes:
    """A season in one piece: names as JSON with the length of it before, then the columns."""
    arrays = [np.ascontiguousarray(getattr(columns, name), kind).tobytes() for name, kind in _SHAPES]
    header = json.dumps(
        {
            "conversations": columns.conversations,
            "scenarios": columns.scenarios,
            "names": columns.names,
            "sizes": [len(array) for array in arrays],
        }
    ).encode()
    return b"".join((_HEADER.pack(len(header)), header, *arrays))


def unpacked(written: bytes) -> Columns:
    """The season that was packed."""
    (length,) = _HEADER.unpack_from(written)
    offset = _HEADER.size + length
    header = json.loads(written[_HEADER.size : offset])
    arrays = {}
    for (name, kind), size in zip(_SHAPES, header["sizes"], strict=True):
        arrays[name] = np.frombuffer(written, kind, size // np.dtype(kind).itemsize, offset)
        offset += size
    rows = len(arrays["start_us"])
    return Columns(
        conversations=tuple(header["conversations"]),
        scenarios=tuple(header["scenarios"]),
        names=tuple(header["names"]),
        start_us=arrays["start_us"],
        conversation=arrays["conversation"],
        counts=arrays["counts"].reshape(rows, -1),
        word_count=arrays["word_count"],
        word=arrays["word"],
        named_count=arrays["named_count"],
        name=arrays["name"],
        named=arrays["named"],
    )
