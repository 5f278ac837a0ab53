"""What is counted, as the tables keep it: of a quarter of an hour in three columns, of a whole season in one."""

import json
import struct
from typing import Any, Final

import numpy as np

from services.history.domain.arrays import Rows
from services.history.domain.columns import Columns
from services.history.domain.measures import Counts, Measures

#: Bytes of one number of counts.
_WIDTH: Final = 8
_COUNTS: Final = struct.Struct(f"<{len(Counts._fields)}q")
#: The columns of a season in the order in which they are written.
_COLUMNS: Final = ("start_us", "conversation", "counts", "word_count", "word", "named_count", "name", "named")
#: A column is written in the first of these that holds all its numbers: a year is read in half the time.
_WIDTHS: Final = ("<u1", "<u2", "<i4", "<i8")
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
    """A season in one piece: names, and how columns are written, as JSON with the length of it before; then these."""
    arrays = [_narrow(getattr(columns, name)) for name in _COLUMNS]
    header = json.dumps(
        {
            "conversations": columns.conversations,
            "scenarios": columns.scenarios,
            "names": columns.names,
            "kinds": [array.dtype.str for array in arrays],
            "sizes": [array.size for array in arrays],
        }
    ).encode()
    return b"".join((_HEADER.pack(len(header)), header, *(array.tobytes() for array in arrays)))


def unpacked(written: bytes) -> Columns:
    """The season that was packed. Its numbers are as narrow as they were written; those of `joined` seasons are not."""
    (length,) = _HEADER.unpack_from(written)
    offset = _HEADER.size + length
    header = json.loads(written[_HEADER.size : offset])
    arrays = {}
    for name, kind, size in zip(_COLUMNS, header["kinds"], header["sizes"], strict=True):
        arrays[name] = np.frombuffer(written, kind, size, offset)
        offset += arrays[name].nbytes
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


def _narrow(column: Rows) -> Rows:
    """The same numbers in as few bytes as hold them."""
    least, most = column.min(initial=0), column.max(initial=0)
    kind = next(kind for kind in _WIDTHS if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max)
    return np.ascontiguousarray(column, kind)
