"""The command line: `viva`."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from cli.memory import loading
from cli.options import DataDir, Json, command_line

app = command_line("Vivavoce: practise a language by talking.")


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 opens it to the network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Web port; 0 for any free one, of gRPC too.")] = 8080,
    grpc_port: Annotated[int | None, typer.Option(help="gRPC port; 50051, or any free one with --port 0.")] = None,
    data_dir: DataDir = None,
    ephemeral: Annotated[bool, typer.Option("--ephemeral", help="Keep nothing after the end.")] = False,
    as_json: Json = False,
    browse: Annotated[bool, typer.Option("--open", help="Open the web page when ready.")] = False,
    real: Annotated[
        bool, typer.Option("--real", help="Keep everything in PostgreSQL, Valkey and SeaweedFS, started for this.")
    ] = False,
) -> None:
    """Start everything in one process; Ctrl-C stops it."""
    with loading():
        from cli.output import told_kindly
        from cli.up import UpOptions
        from cli.up import up as start

        with told_kindly():
            start(
                UpOptions(
                    host=host,
                    port=port,
                    grpc_port=(50051 if port else 0) if grpc_port is None else grpc_port,
                    data_dir=data_dir,
                    ephemeral=ephemeral,
                    as_json=as_json,
                    browse=browse,
                    real=real,
                )
            )


@app.command()
def serve(
    service: Annotated[
        Literal["user", "history", "media", "ai_engine", "conversation", "edge"], typer.Argument(help="Which one.")
    ],
    address: Annotated[
        str, typer.Option(help="Where to listen, host:port; where the others look for it, if not given.")
    ] = "",
    data_dir: DataDir = None,
) -> None:
    """Run one service as a process of its own; Ctrl-C stops it."""
    with loading():
        from cli.output import told_kindly
        from cli.serve import serve as start

        with told_kindly():
            start(service, address, data_dir)


@app.command()
def mesh(
    port: Annotated[int, typer.Option(help="Web port; 0 for any free one.")] = 8080,
    grpc_port: Annotated[int, typer.Option(help="gRPC port; 0 for any free one.")] = 50051,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Start all services as processes on real stores; Ctrl-C ends it."""
    from cli.mesh import MeshOptions
    from cli.mesh import mesh as start
    from cli.output import told_kindly

    with told_kindly():
        start(MeshOptions(port, grpc_port, data_dir, as_json))


@app.command()
def talk(
    wav: Annotated[list[Path] | None, typer.Option(help="A recorded turn; several for several turns.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="A written turn, after the recorded ones.")] = None,
    out: Annotated[Path | None, typer.Option(help="WAV file for the replies.")] = None,
    as_json: Json = False,
    address: Annotated[str, typer.Option(help="gRPC address of the mesh.")] = "127.0.0.1:50051",
    token: Annotated[
        str,
        typer.Option(
            help="Personal access token (vvk_…) or access token; a guest's if not given.", envvar="VIVAVOCE_TOKEN"
        ),
    ] = "",
    scenario: Annotated[str, typer.Option(help="Role-play by id; the server's default if not given.")] = "",
    wait: Annotated[bool, typer.Option(help="Let the tutor finish the opening line first.")] = True,
    tls: Annotated[bool, typer.Option("--tls", help="Check the server against the roots of this machine.")] = False,
    authority: Annotated[
        Path | None, typer.Option("--ca", help="Check it against the authorities in this file, PEM, instead.")
    ] = None,
) -> None:
    """Talk to a running mesh: by recordings, text or the microphone."""
    from cli.output import told_kindly
    from cli.talk import TalkOptions
    from cli.talk import talk as hold

    with told_kindly():
        hold(
            TalkOptions(
                wavs=tuple(wav or ()),
                texts=tuple(text or ()),
                out=out,
                as_json=as_json,
                address=address,
                token=token,
                scenario_id=scenario,
                wait=wait,
                tls=tls,
                authority=authority,
            )
        )


@app.command()
def simulate(
    files: Annotated[
        list[Path] | None, typer.Argument(help="YAML files, or names of scripts that come with Vivavoce.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All scripts that come with Vivavoce.")] = False,
    count: Annotated[
        int, typer.Option("--n", min=0, help="Play so many conversations that vary from the scripts at random.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Where the variations begin.")] = 1,
    real: Annotated[
        bool, typer.Option("--real/--virtual", help="In real time against a mesh, or on a virtual clock.")
    ] = False,
    address: Annotated[str, typer.Option(help="--real: gRPC address of a mesh; one is started if not given.")] = "",
    token: Annotated[
        str, typer.Option(help="--real: whose talks these are; guests' if not given.", envvar="VIVAVOCE_TOKEN")
    ] = "",
    as_json: Json = False,
) -> None:
    """Play scripted learners, and see that turns are taken as due."""
    from cli.output import told_kindly
    from cli.simulate import SimulateOptions
    from cli.simulate import simulate as play

    with told_kindly():
        play(
            SimulateOptions(
                files=tuple(files or ()),
                everything=everything,
                count=count,
                seed=seed,
                as_json=as_json,
                real=real,
                address=address,
                token=token,
            )
        )


@app.command()
def doctor(as_json: Json = False, data_dir: DataDir = None) -> None:
    """Check this machine, and say what mends what is wrong."""
    from cli.doctor import doctor as examine
    from cli.output import told_kindly

    with told_kindly():
        examine(as_json=as_json, data_dir=data_dir)


@app.command()
def health(
    service: Annotated[str, typer.Argument(envvar="VIVAVOCE_SERVICE", help="The service to ask, or edge.")],
) -> None:
    """Ask a service here whether it serves; exits with 1 if not."""
    from cli.health import health as ask
    from cli.output import told_kindly

    with told_kindly():
        ask(service)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write, such as vivavoce.tar.gz.")], data_dir: DataDir = None
) -> None:
    """Write all a data folder keeps to one file, also while in use."""
    from cli.backup import backup as write
    from cli.output import told_kindly

    with told_kindly():
        write(file, data_dir)


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file of `viva backup`.")], data_dir: DataDir = None) -> None:
    """Put what a backup holds into an empty data folder."""
    from cli.backup import restore as put_back
    from cli.output import told_kindly

    with told_kindly():
        put_back(file, data_dir)


@app.command()
def bench(
    name: Annotated[
        Literal[
            "accounts",
            "engine",
            "feedback",
            "history",
            "latency",
            "load",
            "media",
            "mesh",
            "providers",
            "realtime",
            "turns",
        ],
        typer.Argument(help="What to measure."),
    ],
    as_json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="End within 45 seconds, with fewer runs.")] = False,
    part: Annotated[
        Literal[
            "ingest",
            "delay",
            "year",
            "sessions",
            "ears",
            "idle",
            "endurance",
            "instant",
            "interruptions",
            "local",
            "hesitant",
        ]
        | None,
        typer.Option(help="Measure only this: history has the first three, turns the last four, load the others."),
    ] = None,
    kept: Annotated[
        Path | None,
        typer.Option("--keep", help="turns: a file for what was found; what lies there is not measured again."),
    ] = None,
    database: Annotated[
        str,
        typer.Option(help='history: instead of SQLite, "postgresql" for one started for this, or an empty one\'s URL.'),
    ] = "",
) -> None:
    """Measure a mesh started for this, and compare with the goals."""
    from cli.bench.run import bench as measure
    from cli.output import told_kindly

    with told_kindly():
        measure(name, as_json=as_json, quick=quick, part=part, kept=kept, database_url=database)


#: Commands with commands of their own: the module that holds them, and what they are for. A module is imported when one
#: of its commands is called, so that `viva up` does not wait for what it doesn't use.
_GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "providers": ("cli.providers", "List the providers that hear, think and speak, or try one."),
    "prompt": ("cli.prompt", "Show what a language model is sent."),
    "models": ("cli.models", "Fetch, list and verify the speech models."),
    "media": ("cli.media", "Try the store of recordings out."),
    "outbox": ("cli.outbox", "Show what history refuses, and have it sent again."),
    "certs": ("cli.certs", "Make, renew and show the certificates of services."),
    "user": ("cli.users", "List and change accounts, on the database itself."),
    "keys": ("cli.keys", "Change the key that access tokens are signed with."),
}


def _add_group(name: str, module: str, purpose: str) -> None:
    @app.command(
        name,
        help=purpose,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def group(context: typer.Context) -> None:
        import_module(module).app(args=context.args, prog_name=f"viva {name}")


for _name, (_module, _purpose) in _GROUPS.items():
    _add_group(_name, _module, _purpose)


if __name__ == "__main__":
    app()
