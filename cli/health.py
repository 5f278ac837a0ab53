"""`viva health`: what a container or a probe asks of the service beside it."""

from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from ssl import CERT_NONE, create_default_context
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.addresses import PeerSettings
from cli.certs import tls_of
from cli.ports import split_address
from edge.settings import Settings as EdgeSettings
from mesh.errors import InvalidFieldError, UnavailableError
from mesh.peers import SERVICE_NAMES
from mesh.settings import load
from mesh.tls import host_name

_ANSWER_S: Final = 3.0
_HERE: Final = "127.0.0.1"


def health(service: str) -> None:
    """Returns where the service serves on this machine.

    Raises:
        InvalidFieldError: there is no such service.
        UnavailableError: it does not serve, or does not answer.
    """
    if service == "edge":
        _ask_edge(load(EdgeSettings))
    elif service in SERVICE_NAMES:
        _ask_service(service, load(PeerSettings))
    else:
        raise InvalidFieldError(
            f"There is no service {service!r}; name edge or {', '.join(SERVICE_NAMES)}.", field="service"
        )


def _ask_edge(settings: EdgeSettings) -> None:
    if settings.certificate:
        # It is this machine that is asked, not the name in the certificate.
        unchecked = create_default_context()
        unchecked.check_hostname, unchecked.verify_mode = False, CERT_NONE
        connection: HTTPConnection = HTTPSConnection(_HERE, settings.port, timeout=_ANSWER_S, context=unchecked)
    else:
        connection = HTTPConnection(_HERE, settings.port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except OSError as error:
        raise UnavailableError(f"The edge does not answer on port {settings.port}.") from error
    finally:
        connection.close()
    if status != HTTPStatus.OK:
        raise UnavailableError(f"The edge answers {status}.")


def _ask_service(service: str, settings: PeerSettings) -> None:
    _, port = split_address(settings.addresses()[service].rpartition("/")[2])
    address = f"{_HERE}:{port}"
    question = health_pb2.HealthCheckRequest(service=SERVICE_NAMES[service])
    with _channel(service, address, settings) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(question, timeout=_ANSWER_S)
        except grpc.RpcError as error:
            raise UnavailableError(f"The {service} service does not answer on port {port}.") from error
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise UnavailableError(f"The {service} service does not serve: it starts, or drains.")


def _channel(service: str, address: str, settings: PeerSettings) -> grpc.Channel:
    if not settings.certificates:
        return grpc.insecure_channel(address)
    tls = tls_of(Path(settings.certificates).expanduser(), service)
    named = [("grpc.ssl_target_name_override", host_name(service))]
    return grpc.secure_channel(address, tls.channel_credentials(), options=named)
