"""The ingress of an installation on one machine: nginx with the same configuration as in Compose."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

from cli.ports import listens, split_address
from cli.stores.program import Program
from mesh.errors import PreconditionError

_TEMPLATE: Final = Path(__file__).parents[1] / "deploy" / "ingress" / "vivavoce.conf.template"
_MAIN: Final = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/vivavoce.conf;
}}
"""


def ingress(folder: Path, certificates: Path, addresses: Mapping[str, str], *, web: str, grpc: str) -> Program:
    """nginx, not started yet: `web` and `grpc` are where it listens, `addresses` where edge and services are.

    Raises:
        PreconditionError: nginx is not installed.
    """
    program = shutil.which("nginx")
    if program is None:
        raise PreconditionError("nginx is missing; `apt-get install nginx-light` brings it (`make ingress` does).")
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    # On one machine, for itself, it speaks no TLS: Compose does.
    (folder / "tls.conf").write_text("")
    variables = {
        "HTTP_LISTEN": web,
        "GRPC_LISTEN": grpc,
        "TLS": str(folder / "tls.conf"),
        "CERTIFICATES": str(certificates),
        "EDGE": addresses["edge"],
        "USER_SERVICE": addresses["user"],
        "CONVERSATION": addresses["conversation"],
        "AI_ENGINE": addresses["ai_engine"],
        "HISTORY": addresses["history"],
        "MEDIA": addresses["media"],
    }
    # nginx has variables of its own, written without braces: they stay.
    (folder / "vivavoce.conf").write_text(Template(_TEMPLATE.read_text()).safe_substitute(variables))
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    return Program("nginx", command, folder / "nginx.log", lambda: all(listens(*split_address(a)) for a in (web, grpc)))
