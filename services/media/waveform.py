"""Puts the picture of a track into as many columns as are wanted."""

import numpy as np
from vivavoce.media.v1 import media_service_pb2 as service_pb


def waveform(peaks: bytes, columns: int) -> service_pb.GetWaveformResponse:
    """Of pairs of signed bytes, the lowest and the highest, at most so many columns."""
    pairs = np.frombuffer(peaks, np.int8).reshape(-1, 2)
    count = min(columns, len(pairs))
    if not count:
        return service_pb.GetWaveformResponse()
    starts = np.arange(count) * len(pairs) // count
    return service_pb.GetWaveformResponse(
        lowest=np.minimum.reduceat(pairs[:, 0], starts).tolist(),
        highest=np.maximum.reduceat(pairs[:, 1], starts).tolist(),
    )
