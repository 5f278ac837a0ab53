"""Ports are looked at before anything starts."""

import os
import socket

import pytest

from cli.ports import WantedPort, check_all_free, check_free, free_port, split_address
from mesh.errors import AlreadyExistsError, InvalidFieldError


def test_a_taken_port_is_refused_with_its_owner_and_the_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AlreadyExistsError) as refused:
            check_free(WantedPort("127.0.0.1", port, "the web", "--port"))
    assert f"Port {port}, wanted for the web, is taken" in refused.value.message
    assert f"(process {os.getpid()})" in refused.value.message
    assert "--port" in refused.value.message


def test_a_free_port_is_let_through() -> None:
    check_free(WantedPort("127.0.0.1", free_port("127.0.0.1"), "gRPC", "--grpc-port"))


def test_any_port_is_free() -> None:
    check_free(WantedPort("127.0.0.1", 0, "gRPC", "--grpc-port"))


def test_one_port_for_two_things_is_refused() -> None:
    port = free_port("127.0.0.1")
    web, grpc = (WantedPort("127.0.0.1", port, *of) for of in (("the web", "--port"), ("gRPC", "--grpc-port")))
    with pytest.raises(InvalidFieldError, match="both for the web and for gRPC; choose another with --grpc-port"):
        check_all_free(web, grpc)


def test_any_port_does_for_two_things() -> None:
    check_all_free(WantedPort("127.0.0.1", 0, "the web", "--port"), WantedPort("127.0.0.1", 0, "gRPC", "--grpc-port"))


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(InvalidFieldError, match="is no port"):
        check_free(WantedPort("127.0.0.1", port, "the web", "--port"))


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InvalidFieldError, match="no address of this machine"):
        check_free(WantedPort("192.0.2.1", 8080, "the web", "--port"))


def test_an_address_is_split_into_host_and_port() -> None:
    assert split_address("127.0.0.1:50051") == ("127.0.0.1", 50_051)
    assert split_address("[::1]:50051") == ("::1", 50_051)


@pytest.mark.parametrize("address", ["", "localhost", ":50051", "localhost:grpc"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidFieldError, match="host:port"):
        split_address(address)
