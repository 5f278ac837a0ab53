from pathlib import Path

import numpy as np
import pytest

from mesh.errors import ProviderError
from services.ai_engine.adapters.onnx import OnnxModel
from services.ai_engine.models import ModelSettings, locate


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(ProviderError, match="viva models verify") as refused:
        OnnxModel.load(path)
    assert refused.value.metadata == {"file": "model.onnx"}


def test_an_input_that_does_not_fit_is_told(models: ModelSettings) -> None:
    model = OnnxModel.load(locate("smart_turn", models))
    with pytest.raises(ProviderError):
        model.run(input_features=np.zeros((1, 3, 3), np.float32))
