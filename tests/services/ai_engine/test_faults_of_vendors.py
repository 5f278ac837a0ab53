import pytest

from mesh.errors import PreconditionError, ProviderError
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.reading import ANSWER_S, CONNECT_S

_FAULTS = Faults("bell", "Bell")


def test_no_vendor_is_waited_for_longer_than_people_wait() -> None:
    assert max(CONNECT_S, ANSWER_S) < 3


def test_a_missing_sdk_names_the_extra_that_brings_it() -> None:
    with pytest.raises(PreconditionError) as caught, _FAULTS.imported("bell"):
        import a_package_nobody_has  # type: ignore[import-not-found]  # noqa: F401
    assert caught.value.reason == "PROVIDER_MISSING"
    assert "pip install 'vivavoce[bell]'" in caught.value.message


def test_a_missing_key_names_the_setting() -> None:
    with pytest.raises(PreconditionError) as caught:
        _FAULTS.setting("", "VIVAVOCE_AI_ENGINE_BELL_API_KEY")
    assert "VIVAVOCE_AI_ENGINE_BELL_API_KEY" in caught.value.message


def test_what_a_vendor_wrote_is_not_repeated() -> None:
    with pytest.raises(ProviderError) as caught, _FAULTS.told():
        raise ValueError("my secret transcript")
    assert "secret" not in caught.value.message
    assert caught.value.__suppress_context__
