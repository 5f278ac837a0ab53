"""Opens ONNX models the way a server with many sessions needs them: few threads, no spinning, no hidden growth."""

from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mesh.errors import ProviderError


class OnnxModel(Protocol):
    """The part of an ONNX session that we use."""

    def run(self, outputs: list[str] | None, inputs: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Computes the named outputs, or all of them."""
        ...


def open_model(model: Path | bytes, *, threads: int = 1) -> OnnxModel:
    """Loads a model from a file or from its bytes; blocks, so call it in a thread.

    Raises ProviderError when the file is not a model that the runtime can open.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads steal the processor from the other models; the arena never gives memory back.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    source = model if isinstance(model, bytes) else str(model)
    try:
        session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # The runtime has a dozen unrelated exception types for a bad file.
        raise ProviderError(
            "A speech model could not be opened; run `viva models verify`.",
            metadata={"file": "" if isinstance(model, bytes) else model.name},
        ) from error
    return cast(OnnxModel, session)  # The runtime ships no types.
