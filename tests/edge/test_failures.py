"""Every reason of the contract has a close code, and every code an HTTP status."""

import re
from pathlib import Path

from vivavoce.type.v1 import error_pb2 as error_pb

from edge.failures import CLOSE_CODES, close_code, error_response, reason_name, reason_value
from mesh.errors import VivavoceError


def test_every_reason_of_the_contract_has_a_close_code() -> None:
    reasons = {name.removeprefix("ERROR_REASON_") for name in error_pb.ErrorReason.keys()}  # noqa: SIM118 (no mapping)
    assert set(CLOSE_CODES) == reasons


def test_a_reason_newer_than_this_build_counts_as_internal() -> None:
    assert close_code("INVENTED_LATER") == 1011
    assert reason_value("INVENTED_LATER") == error_pb.ERROR_REASON_INTERNAL


def test_reasons_keep_their_names_both_ways() -> None:
    assert reason_name(reason_value("IDLE")) == "IDLE"


def test_every_error_has_an_http_status_that_is_one() -> None:
    for error in VivavoceError.__subclasses__():
        assert 400 <= error_response(error("What happened.")).status_code < 600


def test_the_documented_close_codes_are_the_real_ones() -> None:
    page = (Path(__file__).parents[2] / "docs" / "websocket.md").read_text()
    documented = {
        reason: int(line.split("|")[1])
        for line in page.splitlines()
        if re.match(r"\| \d{4} \|", line)
        for reason in re.findall(r"`([A-Z_]+)`", line.split("|")[3])
    }
    assert documented == {reason: code for reason, code in CLOSE_CODES.items() if reason != "UNSPECIFIED"}
