"""People, what the tutor should know about them, and the addresses they log in with."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Final

from mesh.errors import InvalidFieldError

MIN_PASSWORD_LENGTH: Final = 12

_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


class Role(Enum):
    """What a person may do beyond talking."""

    LEARNER = "learner"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Profile:
    """What the tutor should know. Enumerations are kept by the contract's numbers: nothing here depends on them."""

    display_name: str = ""
    native_language: str = ""
    target_language: str = ""
    level: int = 0
    goals: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    correction_style: int = 0
    patience: int = 0
    time_zone: str = ""
    recording_consent: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account, or a guest, who has neither address nor password."""

    user_id: str
    email: str
    email_verified: bool
    guest: bool
    role: Role
    profile: Profile
    create_time_us: int


def normal_email(email: str) -> str:
    """The address as it is shown and written to: composed letters (NFC), the domain in lower case.

    Raises:
        InvalidFieldError: it has no name or no domain.
    """
    name, at, domain = unicodedata.normalize("NFC", email.strip()).rpartition("@")
    if not (name and at and domain):
        raise InvalidFieldError("email is not an address; write it as name@domain.", field="email")
    return f"{name}@{domain.casefold()}"


def email_key(email: str) -> str:
    """What makes an address the same as another: people write the name with and without capitals."""
    return unicodedata.normalize("NFC", normal_email(email).casefold())


def normal_password(password: str) -> str:
    """The password as it is hashed: one form, however the keyboard composes letters (NFKC, as NIST 800-63B asks)."""
    return unicodedata.normalize("NFKC", password)


def new_password(password: str, field: str = "password") -> str:
    """Like `normal_password`, for one that is being set in the request's `field`.

    Raises:
        InvalidFieldError: it is too short.
    """
    normal = normal_password(password)
    if len(normal) < MIN_PASSWORD_LENGTH:
        raise InvalidFieldError(f"{field} is too short; use at least {MIN_PASSWORD_LENGTH} characters.", field=field)
    return normal


def known_of(user: User) -> tuple[str, ...]:
    """What others know of a person, and would try as their password first."""
    return tuple(each for each in (user.email, user.profile.display_name) if each)


def checked_profile(profile: Profile) -> Profile:
    """The profile, if its languages are written as BCP 47 asks.

    Raises:
        InvalidFieldError: a language is not a tag such as "en" or "pt-BR".
    """
    for name, language in (
        ("native_language", profile.native_language),
        ("target_language", profile.target_language),
    ):
        if language and not _LANGUAGE_TAG.fullmatch(language):
            raise InvalidFieldError(
                f'profile.{name} is not a language tag; write one such as "en" or "pt-BR".', field=f"profile.{name}"
            )
    return profile


def changed_profile(profile: Profile, new: Profile, paths: Sequence[str]) -> Profile:
    """`profile` with the fields named by `paths` taken from `new`.

    Raises:
        InvalidFieldError: there is no path, one names no field of a profile, or a new value breaks its rule.
    """
    known = {field.name for field in fields(Profile)}
    if not paths:
        raise InvalidFieldError("update_mask names no field; name at least one, such as level.", field="update_mask")
    for path in paths:
        if path not in known:
            raise InvalidFieldError(
                f"update_mask names a field that a profile does not have; use some of {', '.join(sorted(known))}.",
                field="update_mask",
            )
    return checked_profile(replace(profile, **{path: getattr(new, path) for path in paths}))
