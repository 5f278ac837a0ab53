"""How letters leave: by a real mail server, into a folder, onto the terminal; and what happens when they can't."""

import asyncio
import io
import logging
import os
import socket
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from mesh.certificates import issue, new_authority
from mesh.clock import SystemClock, VirtualClock
from mesh.errors import InvalidFieldError, OverloadedError, UnavailableError, VivavoceError
from services.user.domain.links import LinkPurpose
from services.user.mail.carrier import MailFailedError, MailRefusedError, as_message
from services.user.mail.console import ConsoleCarrier
from services.user.mail.folder import FolderCarrier
from services.user.mail.letters import Letter, Letters
from services.user.mail.open import open_carrier
from services.user.mail.post import Errand, Post
from services.user.mail.settings import MailSettings
from services.user.mail.smtp import SmtpCarrier, SmtpSecurity, SmtpServer
from tests.services.user.mailbox import Mailbox

SENDER = "Vivavoce <vivavoce@example.net>"
LETTER = Letter("ann@example.org", "Grüße", "Hello,\n\nhttp://127.0.0.1/#verify=x\n")


@dataclass
class Office:
    """What a mail server does with what it gets, by the script a test sets."""

    answer: str = "250 OK"
    answer_to_address: str = "250 OK"
    received: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(self, _: SMTP, __: object, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.answer_to_address.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_address

    async def handle_DATA(self, _: SMTP, __: object, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            self.received.append(envelope)
        return self.answer


@dataclass(frozen=True, slots=True)
class Certificates:
    server: ssl.SSLContext
    authority: Path


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    now = datetime.now(UTC)
    authority = new_authority(now, 2)
    pair = issue(authority, "user", now, 1)
    (tmp_path / "authority.pem").write_bytes(authority.certificate)
    (tmp_path / "server.pem").write_bytes(pair.certificate + pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    return Certificates(context, tmp_path / "authority.pem")


@asynccontextmanager
async def office(
    handler: Office,
    security: SmtpSecurity = SmtpSecurity.NONE,
    tls: Certificates | None = None,
    **options: Any,  # noqa: ANN401 (the server's own)
) -> AsyncIterator[SmtpServer]:
    if security is SmtpSecurity.STARTTLS and tls:
        options |= {"tls_context": tls.server, "require_starttls": True}
    wrapped = tls.server if tls and security is SmtpSecurity.TLS else None
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(handler, loop=loop, **options), "127.0.0.1", 0, ssl=wrapped)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield SmtpServer("127.0.0.1", port, security, "", "", 5.0, tls.authority if tls else None)


async def carry(server: SmtpServer, letter: Letter = LETTER) -> None:
    async with SmtpCarrier(server, SENDER, SystemClock()) as carrier:
        await carrier.carry(letter)


@pytest.mark.parametrize("security", SmtpSecurity)
async def test_a_letter_reaches_the_mail_server(security: SmtpSecurity, certificates: Certificates) -> None:
    handler = Office()
    async with office(handler, security, certificates) as server:
        await carry(server)
    (envelope,) = handler.received
    assert envelope.rcpt_tos == ["ann@example.org"]
    assert envelope.mail_from == "vivavoce@example.net"
    content = envelope.content
    assert isinstance(content, bytes)
    assert b"Subject: =?utf-8?" in content
    assert b"http://127.0.0.1/#verify=x\r\n" in content


async def test_it_logs_in_where_the_server_asks(certificates: Certificates) -> None:
    def known(_: object, __: object, ___: object, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=data == LoginPassword(b"us", b"a secret"), handled=False)

    handler = Office()
    options = {"auth_required": True, "authenticator": known}
    async with office(handler, SmtpSecurity.STARTTLS, certificates, **options) as server:
        with pytest.raises(MailRefusedError, match="530"):
            await carry(server)
        with pytest.raises(MailRefusedError, match="535"):
            await carry(replace(server, user="us", password="wrong"))
        await carry(replace(server, user="us", password="a secret"))
    assert len(handler.received) == 1


async def test_a_letter_never_goes_in_the_clear_instead() -> None:
    handler = Office()
    async with office(handler) as server:
        with pytest.raises(MailRefusedError, match="can't do what is needed"):
            await carry(replace(server, security=SmtpSecurity.STARTTLS))
    assert handler.received == []


async def test_a_server_with_a_certificate_of_someone_unknown_is_not_trusted(certificates: Certificates) -> None:
    handler = Office()
    async with office(handler, SmtpSecurity.STARTTLS, certificates) as server:
        with pytest.raises(MailFailedError, match="SSLCertVerificationError"):
            await carry(replace(server, authority=None))
    assert handler.received == []


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (Office(answer_to_address="550 no ann@example.org here"), MailRefusedError),
        (Office(answer_to_address="450 busy"), MailFailedError),
        (Office(answer="554 spam"), MailRefusedError),
        (Office(answer="451 later"), MailFailedError),
    ],
    ids=str,
)
async def test_a_refusal_for_good_and_one_for_now_are_told_apart_and_name_nobody(
    handler: Office, error: type[Exception]
) -> None:
    async with office(handler) as server:
        with pytest.raises(error) as caught:
            await carry(server)
    assert "ann@" not in str(caught.value)


async def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(MailFailedError, match="did not answer"):
            await carry(SmtpServer("127.0.0.1", port, SmtpSecurity.NONE, "", "", 0.2, None))
    with pytest.raises(MailFailedError, match="ConnectionRefused"):
        await carry(SmtpServer("127.0.0.1", port, SmtpSecurity.NONE, "", "", 5.0, None))


def test_no_line_break_in_an_address_becomes_a_header() -> None:
    with pytest.raises(ValueError, match="may not contain"):
        as_message(Letter("ann@example.org\r\nBcc: all@example.org", "x", "x"), SENDER, datetime.now(UTC))


async def test_the_folder_holds_a_file_a_letter_that_its_owner_alone_reads(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    carrier = FolderCarrier(folder, SENDER, VirtualClock())
    await carrier.carry(LETTER)
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (letter,) = Mailbox(folder).all()
    assert (letter.to, letter.subject, letter.text) == ("ann@example.org", LETTER.subject, LETTER.text)


def test_a_link_reads_the_same_in_the_file_as_in_the_letter() -> None:
    letter = Letter("ann@example.org", "Confirm", "\n\n".join(["http://127.0.0.1/#verify=x", "A long line. " * 30]))
    assert b"http://127.0.0.1/#verify=x\r\n" in as_message(letter, SENDER, datetime.now(UTC)).as_bytes()


async def test_the_folder_does_not_grow_for_ever(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").touch()
    for number in range(600):
        (tmp_path / f"mail_{number:05}.eml").touch()
    await FolderCarrier(tmp_path, SENDER, VirtualClock()).carry(LETTER)
    names = sorted(os.listdir(tmp_path))  # noqa: PTH208 (a handful of names)
    assert len(names) == 501
    assert "kept.txt" in names
    assert "mail_00000.eml" not in names


async def test_the_terminal_shows_the_link_and_the_log_does_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    terminal = io.StringIO()
    async with Post(ConsoleCarrier(terminal), VirtualClock()) as post:
        post.offer(ready)
    assert "Mail to ann@example.org: Grüße" in terminal.getvalue()
    assert "#verify=x" in terminal.getvalue()
    assert "letter sent" in caplog.text
    assert "verify=x" not in caplog.text
    assert "ann@" not in caplog.text


async def ready() -> Letter | None:
    return LETTER


@dataclass
class Balky:
    """A carrier that fails so often before it carries."""

    failures: list[Exception]
    carried: int = 0
    tries: int = 0

    async def carry(self, letter: Letter) -> None:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        self.carried += 1

    async def forget(self, address: str) -> None:
        raise AssertionError("nobody is deleted here")


async def test_what_failed_is_tried_again_after_growing_pauses_and_then_given_up() -> None:
    clock, carrier = VirtualClock(), Balky([MailFailedError("busy")] * 2)
    async with Post(carrier, clock) as post:
        post.offer(ready)
        await clock.elapse(0.9)
        assert carrier.tries == 1
        await clock.elapse(11)
        assert carrier.carried == 1
        carrier.failures = [MailFailedError("away")] * 9
        post.offer(ready)
        await clock.elapse(1000)
    assert (carrier.tries, carrier.carried) == (3 + 4, 1)


@pytest.mark.parametrize("error", [UnavailableError("The database is away."), OverloadedError("It is busy.")])
async def test_a_letter_that_is_due_while_the_database_is_away_is_written_when_it_is_back(error: VivavoceError) -> None:
    clock, carrier, failures = VirtualClock(), Balky([MailFailedError("busy")]), [error]
    written = 0

    async def errand() -> Letter | None:
        nonlocal written
        if failures:
            raise failures.pop()
        written += 1
        return LETTER

    async with Post(carrier, clock) as post:
        post.offer(errand)
        await clock.elapse(12)
    assert (carrier.carried, written) == (1, 1)


async def test_what_was_refused_for_good_is_not_tried_again() -> None:
    clock, carrier = VirtualClock(), Balky([MailRefusedError("550")])
    async with Post(carrier, clock) as post:
        post.offer(ready)
        await clock.elapse(1000)
    assert carrier.tries == 1


async def test_an_errand_that_fails_or_has_no_letter_leaves_the_next_to_do(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> Letter | None:
        raise OSError("away")

    async def nothing() -> Letter | None:
        return None

    carrier = Balky([])
    async with Post(carrier, VirtualClock()) as post:
        for errand in (fails, nothing, ready):
            post.offer(errand)
    assert carrier.carried == 1
    assert "letter could not be written" in caplog.text


async def test_when_too_many_wait_the_next_is_not_taken_on() -> None:
    held = asyncio.Event()

    async def waits() -> Letter | None:
        await held.wait()
        return None

    errand: Errand = waits
    async with Post(Balky([]), VirtualClock(), bound=3) as post:
        taken = [post.offer(errand) for _ in range(5)]
        assert taken == [True, True, True, False, False]
        held.set()


@pytest.mark.parametrize("purpose", LinkPurpose)
def test_a_letter_is_short_and_has_its_link_on_a_line_of_its_own(purpose: LinkPurpose) -> None:
    letters = Letters("https://talk.example.org/")
    letter = letters.with_link("ann@example.org", purpose, letters.link(purpose, "TOKEN"))
    assert f"\nhttps://talk.example.org/#{purpose.value}=TOKEN\n" in letter.text
    assert "$" not in letter.text
    assert len(letter.text) < 500


@pytest.mark.parametrize(
    "settings", [MailSettings(carrier="pigeon"), MailSettings(carrier="smtp", smtp_security="rot13")]
)
async def test_a_setting_that_names_nothing_is_told_at_the_start(settings: MailSettings, tmp_path: Path) -> None:
    with pytest.raises(InvalidFieldError, match="VIVAVOCE_MAIL_"):
        async with open_carrier(settings, tmp_path, VirtualClock()):
            pass
