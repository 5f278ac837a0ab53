"""Opens and runs ONNX models the way a server with many sessions needs it: few threads, no spinning, no hoarding."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mesh.errors import ProviderError


class OnnxModel:
    """A loaded model. It may be run from several threads at once."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    @classmethod
    def load(cls, model: Path | bytes, *, threads: int = 1) -> Self:
        """Loads a model from a file or from its bytes; blocks, so call it in a thread.

        Raises ProviderError when it is not a model that the runtime can open.
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
            return cls(onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"]))
        except Exception as error:  # The runtime has a dozen unrelated exception types for a bad file.
            raise ProviderError(
                "A speech model could not be opened; run `viva models verify`.",
                metadata={} if isinstance(model, bytes) else {"file": model.name},
            ) from error

    def run(self, **inputs: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Computes all outputs. Raises ProviderError when the model can't digest the inputs."""
        try:
            results: list[NDArray[np.float32]] = self._session.run(None, inputs)
        except Exception as error:  # As above.
            raise ProviderError("A speech model failed on its input; the same input will fail again.") from error
        return results
