"""Translates people and tokens between the contract and the domain."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.type.v1 import learner_pb2 as learner_pb
from vivavoce.user.v1 import user_pb2 as user_pb

from mesh.errors import InvalidFieldError
from services.user.domain.people import Profile, Role, User
from services.user.issuing import Issued

_ROLES: Final[Mapping[Role, user_pb.Role.ValueType]] = {
    Role.LEARNER: user_pb.ROLE_LEARNER,
    Role.ADMIN: user_pb.ROLE_ADMIN,
}


def profile_of(profile: user_pb.Profile) -> Profile:
    """The profile as the domain knows it.

    Raises:
        InvalidFieldError: the time zone is not known.
    """
    return Profile(
        display_name=profile.display_name,
        native_language=profile.native_language,
        target_language=profile.target_language,
        level=profile.level,
        goals=tuple(profile.goals),
        interests=tuple(profile.interests),
        correction_style=profile.correction_style,
        patience=profile.patience,
        time_zone=_time_zone(profile.time_zone),
        recording_consent=profile.recording_consent,
    )


def user_to_pb(user: User) -> user_pb.User:
    """The person as the contract shows them."""
    return user_pb.User(
        user_id=user.user_id,
        email=user.email,
        email_verified=user.email_verified,
        guest=user.guest,
        role=_ROLES[user.role],
        profile=_profile_pb(user.profile),
        create_time=timestamp(user.create_time_us),
    )


def tokens_to_pb(issued: Issued) -> user_pb.Tokens:
    """Tokens on their way to the client."""
    return user_pb.Tokens(
        access_token=issued.access_token,
        access_lifetime=Duration(seconds=issued.access_lifetime_s),
        refresh_token=issued.refresh_token,
        login_session_id=issued.login_session_id,
    )


def timestamp(time_us: int) -> Timestamp:
    """The time as the contract writes it."""
    written = Timestamp()
    written.FromMicroseconds(time_us)
    return written


def _time_zone(name: str) -> str:
    """The name, if the machine knows the zone: the list of zones changes with the world, not with our rules."""
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidFieldError(
            'profile.time_zone is not known; use an IANA name such as "Europe/Paris".', field="profile.time_zone"
        ) from None


def _profile_pb(profile: Profile) -> user_pb.Profile:
    return user_pb.Profile(
        display_name=profile.display_name,
        native_language=profile.native_language,
        target_language=profile.target_language,
        level=learner_pb.CefrLevel.ValueType(profile.level),
        goals=profile.goals,
        interests=profile.interests,
        correction_style=learner_pb.CorrectionStyle.ValueType(profile.correction_style),
        patience=learner_pb.Patience.ValueType(profile.patience),
        time_zone=profile.time_zone,
        recording_consent=profile.recording_consent,
    )
