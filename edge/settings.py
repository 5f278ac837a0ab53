"""The settings of the edge."""

from dataclasses import dataclass
from typing import ClassVar

from mesh.settings import setting


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the edge listens, whom it lets in, and its bounds."""

    UNIT: ClassVar[str] = "edge"

    host: str = setting("127.0.0.1", help="Address to listen on. 0.0.0.0 opens it to the network.")
    port: int = setting(8080, help="Port to listen on. 0 takes any free one.")
    allowed_origins: tuple[str, ...] = setting(
        (), help="Origins of web pages, such as https://talk.example.org, that may call beside the edge's own."
    )
    trusted_proxies: tuple[str, ...] = setting(
        (), help="Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    certificate: str = setting(
        "",
        help="PEM file of the edge's certificate and its chain; it then serves https. Read again when it changes.",
    )
    key: str = setting("", help="PEM file of the certificate's key.")
    metrics_host: str = setting("127.0.0.1", help="Address to serve /metrics on.")
    metrics_port: int = setting(0, help="Port to serve /metrics on, apart from all else. 0: not at all.")
    max_connections: int = setting(1000, help="Connections at once; more are answered 503.")
    max_connections_per_address: int = setting(
        200, help="Connections of one address at once, trusted proxies excepted; more are answered 503. 0: no bound."
    )
    request_rate: str = setting(
        "1200/minute", help="Requests and handshakes of one address; more are answered 429. Empty: no bound."
    )
    max_requests_per_address: int = setting(
        100, help="Requests of one address under way at once; more are answered 429. 0: no bound."
    )
    head_within_s: float = setting(10.0, help="Time for the head of a request, in seconds.")
    body_within_s: float = setting(10.0, help="Time for a body, in seconds; one more for each 16 KiB of it.")
    max_sockets: int = setting(500, help="Talking WebSockets at once; more are answered 429.")
    max_sockets_per_address: int = setting(
        100, help="Talking WebSockets of one address at once; more are answered 429. 0: no bound."
    )
    messages_per_s: float = setting(
        400.0, help="Messages a second on one socket, for longer than a burst; more close it as RATE_LIMITED."
    )
    call_timeout_s: float = setting(10.0, help="Time for a call that sets none, in seconds.")
    max_call_timeout_s: float = setting(60.0, help="Most time a call may set for itself, in seconds.")
    download_within_s: float = setting(600.0, help="Most time a download may take, in seconds.")
    sign_in_within_s: float = setting(5.0, help="Time for the first message of a socket that must sign in by it.")
    start_within_s: float = setting(10.0, help="Time for the first message of a signed-in socket.")
    stalled_after_s: float = setting(
        10.0, help="Time without reading, or without an answer to a ping, after which a socket is closed, in seconds."
    )

    @property
    def only_here(self) -> bool:
        """Whether nobody but this machine reaches the edge, also not through a proxy."""
        return self.host in ("127.0.0.1", "::1", "localhost") and not self.trusted_proxies
