"""Finds out whether a port is free, and who has it where it is not."""

import socket
from dataclasses import dataclass
from ipaddress import ip_address

import psutil

from mesh.errors import AlreadyExistsError, InvalidFieldError


@dataclass(frozen=True, slots=True)
class WantedPort:
    """A port to listen on, and the option that changes it."""

    host: str
    port: int
    purpose: str
    option: str


def check_all_free(*wanted: WantedPort) -> None:
    """Sees to it that each port can be listened on, beside the others.

    Raises:
        AlreadyExistsError, InvalidFieldError: as `check_free`; or two are the same.
    """
    purposes: dict[int, str] = {}
    for each in wanted:
        check_free(each)
        if each.port and each.port in purposes:
            raise InvalidFieldError(
                f"Port {each.port} can't be both for {purposes[each.port]} and for {each.purpose}; "
                f"choose another with {each.option}, or 0 for any.",
                field="port",
            )
        purposes[each.port] = each.purpose


def check_free(wanted: WantedPort) -> None:
    """Sees to it that the port can be listened on; 0 always can.

    Raises:
        AlreadyExistsError: it is taken; the message names who has it where that can be seen, and the option.
        InvalidFieldError: the host is not one of this machine's, or the port is not a port.
    """
    if not 0 <= wanted.port <= 65_535:
        raise InvalidFieldError(f"{wanted.port} is no port; give 0 to 65535 with {wanted.option}.", field="port")
    try:
        _bind(wanted.host, wanted.port)
    except PermissionError:
        raise InvalidFieldError(
            f"Port {wanted.port} is reserved for administrators; choose one above 1023 with {wanted.option}.",
            field="port",
        ) from None
    except socket.gaierror:
        raise InvalidFieldError(f"{wanted.host} is no address; choose another with --host.", field="host") from None
    except OSError as error:
        if not _is_local(wanted.host):
            raise InvalidFieldError(
                f"{wanted.host} is no address of this machine; choose another with --host.", field="host"
            ) from error
        raise AlreadyExistsError(
            f"Port {wanted.port}, wanted for {wanted.purpose}, is taken{_owner(wanted.port)}; "
            f"choose another with {wanted.option}, or 0 for any.",
            metadata={"port": str(wanted.port)},
        ) from None


def free_port(host: str) -> int:
    """A port that is free now."""
    return _bind(host, 0)


def free_ports(count: int) -> list[int]:
    """So many ports of this machine that are free now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port`.

    Raises:
        InvalidFieldError: it is not of that form.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidFieldError(f"{address} is no address; write host:port, such as 127.0.0.1:50061.", field="address")
    return host.strip("[]"), int(port)


def listens(host: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # A port whose last connections are still winding up is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        bound: int = probe.getsockname()[1]
        return bound


def _is_local(host: str) -> bool:
    try:
        _bind(host, 0)
    except OSError:
        return False
    return True


def _owner(port: int) -> str:
    """` by NAME (process PID)`, or nothing where the system does not tell."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
                return (
                    f" by {psutil.Process(connection.pid).name()} (process {connection.pid})" if connection.pid else ""
                )
    except psutil.Error:
        return ""
    return ""
