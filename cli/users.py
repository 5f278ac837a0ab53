"""`viva user`: what an operator does to accounts, on the database itself."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from cli.options import DataDir, Json, command_line
from cli.output import console, print_json, told_kindly
from cli.units import user_settings
from mesh.clock import SystemClock
from services.user.domain.budgets import Account, Overrides
from services.user.domain.people import Role, User
from services.user.operator import Operator, open_operator

app = command_line("Accounts, on the database itself.")

T = TypeVar("T")

Who = Annotated[str, typer.Argument(help="Address or id of the account.")]


@app.command("list")
def list_accounts(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the latest.")] = 100,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List accounts, the latest first. Guests are not among them."""
    users = _done(data_dir, lambda operator: operator.accounts(None, limit))
    if as_json:
        print_json({"accounts": [_shown(user) for user in users]})
        return
    table = Table("account", "address", "verified", "role", "since")
    for user in users:
        table.add_row(*(str(value) for value in _shown(user).values()))
    console().print(table)


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="Address of the new account.")],
    admin: Annotated[bool, typer.Option("--admin", help="Let them operate the installation.")] = False,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Make an account, and print a link by which its owner chooses a password within an hour."""
    role = Role.ADMIN if admin else Role.LEARNER
    user, link = _done(data_dir, lambda operator: operator.create(email, role))
    _tell(
        as_json,
        {**_shown(user), "link": link},
        f"{user.email} is {user.user_id}. Its owner opens, within an hour:\n{link}",
    )


@app.command("make-admin")
def make_admin(who: Who, as_json: Json = False, data_dir: DataDir = None) -> None:
    """Let an account operate the installation. It logs in again for that."""
    user = _done(data_dir, lambda operator: operator.change_role(who, Role.ADMIN))
    _tell(as_json, _shown(user), f"{user.email} is an admin, and logs in again.")


@app.command("make-learner")
def make_learner(who: Who, as_json: Json = False, data_dir: DataDir = None) -> None:
    """Take an admin's rights away; their login sessions end."""
    user = _done(data_dir, lambda operator: operator.change_role(who, Role.LEARNER))
    _tell(as_json, _shown(user), f"{user.email} is a learner, and logs in again.")


@app.command()
def revoke(who: Who, as_json: Json = False, data_dir: DataDir = None) -> None:
    """End all login sessions of a person."""
    ended = _done(data_dir, lambda operator: operator.revoke(who))
    _tell(as_json, {"revoked": ended}, f"{ended} login sessions were ended.")


@app.command("reset-link")
def reset_link(who: Who, as_json: Json = False, data_dir: DataDir = None) -> None:
    """Print a link by which an account's owner chooses a new password within an hour."""
    link = _done(data_dir, lambda operator: operator.reset_link(who))
    _tell(as_json, {"link": link}, link)


@app.command()
def budget(
    who: Annotated[str, typer.Argument(help="Address or id of a person, or one of learner, admin, guest.")],
    concurrent_sessions: Annotated[int | None, typer.Option(min=-1, help="Sessions at once; -1 is no bound.")] = None,
    audio_seconds: Annotated[int | None, typer.Option(min=-1, help="Seconds of sound a day.")] = None,
    model_tokens: Annotated[int | None, typer.Option(min=-1, help="Tokens of language models a day.")] = None,
    spoken_characters: Annotated[int | None, typer.Option(min=-1, help="Characters spoken by vendors a day.")] = None,
    money_micros_day: Annotated[int | None, typer.Option(min=-1, help="Money a day, in millionths.")] = None,
    money_micros_month: Annotated[int | None, typer.Option(min=-1, help="Money a month, in millionths.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what was said until now.")] = False,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show what a person or a role may use, or say it anew. What is said about a person goes before their role."""
    wanted = Overrides(
        concurrent_sessions=concurrent_sessions,
        audio_seconds=audio_seconds,
        model_tokens=model_tokens,
        spoken_characters=spoken_characters,
        money_micros_day=money_micros_day,
        money_micros_month=money_micros_month,
    )

    async def act(operator: Operator) -> tuple[Overrides, Account | None]:
        before = Overrides() if reset else (await operator.budget(who))[0]
        if reset or wanted != Overrides():
            await operator.say_budget(who, wanted.over(before))
        return await operator.budget(who)

    said, account = _done(data_dir, act)
    answer: dict[str, Any] = {"said": asdict(said)}
    if account is not None:
        answer |= {"limits": asdict(account.limits), "left": asdict(account.left())}
    if as_json:
        print_json(answer)
        return
    table = Table("amount", *answer)
    for name in asdict(said):
        table.add_row(name, *("" if part[name] is None else str(part[name]) for part in answer.values()))
    console().print(table)


@app.command()
def delete(
    who: Who,
    sure: Annotated[bool, typer.Option("--yes", prompt="Remove the account and all that is kept of the person?")],
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Delete a person, here at once and in the other services as soon as the user service runs."""
    if not sure:
        raise typer.Exit(1)
    deletion = _done(data_dir, lambda operator: operator.delete(who))
    receipt = {"receipt_id": deletion.deletion_id, "pending_services": deletion.pending()}
    _tell(as_json, receipt, f"Deleted. The receipt is {deletion.deletion_id}; see GET /v1/deletions/<receipt>.")


def _done(data_dir: Path | None, act: Callable[[Operator], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_operator(user_settings(data_dir), SystemClock()) as operator:
            return await act(operator)

    with told_kindly():
        return asyncio.run(run())


def _tell(as_json: bool, answer: dict[str, Any], line: str) -> None:
    if as_json:
        print_json(answer)
    else:
        console().print(line, markup=False, soft_wrap=True)


def _shown(user: User) -> dict[str, Any]:
    since = datetime.fromtimestamp(user.create_time_us / 1_000_000, UTC)
    return {
        "user_id": user.user_id,
        "email": user.email,
        "email_verified": user.email_verified,
        "role": user.role.value,
        "create_time": since.isoformat(timespec="seconds"),
    }
