"""`viva keys`: the keys that access tokens are signed with."""

from cli.options import DataDir, command_line
from cli.output import console, told_kindly
from cli.units import user_settings
from mesh.clock import SystemClock
from services.user.keys import ANNOUNCED_S
from services.user.keys import rotate as make_next

app = command_line("The keys that access tokens are signed with.")


@app.callback()
def keys() -> None:
    """The keys that access tokens are signed with."""


@app.command()
def rotate(data_dir: DataDir = None) -> None:
    """Make the next key. Running services take it up by themselves, and nobody logs in again."""
    with told_kindly():
        path = make_next(user_settings(data_dir).keys(), SystemClock())
    console().print(f"{path} signs from {ANNOUNCED_S:.0f} s from now on.", markup=False, soft_wrap=True)
