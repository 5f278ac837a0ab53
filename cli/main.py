"""The command line: `viva`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Vivavoce: practise a language by talking.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts, and nothing else.")]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder for everything that lasts; the user's data folder if not given."),
]


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
    """Start every service as a process of its own, on real stores; Ctrl-C stops them."""
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
) -> None:
    """Talk to a running mesh: with recordings, in writing, or by the microphone."""
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
    """Play scripted learners, and see that turns are taken as they should be and nothing is lost."""
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
    """Ask one service of this machine whether it serves; exits with 1 where it does not."""
    from cli.health import health as ask
    from cli.output import told_kindly

    with told_kindly():
        ask(service)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write, such as vivavoce.tar.gz.")], data_dir: DataDir = None
) -> None:
    """Write everything a data folder keeps to one file, also while it is in use."""
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
            "accounts", "engine", "feedback", "history", "latency", "media", "mesh", "providers", "realtime", "turns"
        ],
        typer.Argument(help="What to measure."),
    ],
    as_json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="End within 45 seconds, with fewer runs.")] = False,
    database: Annotated[
        str, typer.Option("--database", help="history: an empty PostgreSQL database to measure, too, by its URL.")
    ] = "",
) -> None:
    """Measure a mesh started for this, and compare with the goals."""
    from cli.bench.run import bench as measure
    from cli.output import told_kindly

    with told_kindly():
        measure(name, as_json=as_json, quick=quick, database_url=database)


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def providers(context: typer.Context) -> None:
    """List the providers that hear, think and speak, or try one."""
    from cli.providers import app as providers_app

    providers_app(args=context.args, prog_name="viva providers")


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def prompt(context: typer.Context) -> None:
    """Show what a language model is sent."""
    from cli.prompt import app as prompt_app

    prompt_app(args=context.args, prog_name="viva prompt")


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def models(context: typer.Context) -> None:
    """Fetch, list and verify the speech models."""
    from cli.models import app as models_app

    models_app(args=context.args, prog_name="viva models")


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def media(context: typer.Context) -> None:
    """Try the store of recordings out."""
    from cli.media import app as media_app

    media_app(args=context.args, prog_name="viva media")


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def outbox(context: typer.Context) -> None:
    """Show what history refuses, and have it sent again."""
    from cli.outbox import app as outbox_app

    outbox_app(args=context.args, prog_name="viva outbox")


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def certs(context: typer.Context) -> None:
    """Make, renew and show the certificates of services that run as processes of their own."""
    from cli.certs import app as certs_app

    certs_app(args=context.args, prog_name="viva certs")


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def user(context: typer.Context) -> None:
    """List and change accounts, on the database itself."""
    from cli.users import app as users_app

    users_app(args=context.args, prog_name="viva user")


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def keys(context: typer.Context) -> None:
    """Change the key that access tokens are signed with."""
    from cli.keys import app as keys_app

    keys_app(args=context.args, prog_name="viva keys")


if __name__ == "__main__":
    app()
