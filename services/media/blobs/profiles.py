"""What kinds of S3 differ in, and how boto3 is set for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from botocore.config import Config

from mesh.errors import InvalidFieldError

#: When boto3 adds checksums of its own: wherever it can, or only where the call has to have one.
Checksums = Literal["when_supported", "when_required"]


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of store that speaks S3."""

    #: "path": the bucket is the first part of the path; "virtual": it is part of the host.
    addressing: Literal["path", "virtual"]
    #: With "when_supported" boto3 sends bodies as `aws-chunked` with a trailer, which only AWS itself knows for sure.
    checksums: Checksums
    signature: Literal["s3v4"] = "s3v4"
    #: Whether requests for deletion of many need Content-MD5 instead of the checksum boto3 puts there.
    delete_needs_md5: bool = False

    def config(self, threads: int) -> Config:
        """The settings of a client that so many threads use."""
        return Config(
            signature_version=self.signature,
            s3={"addressing_style": self.addressing},
            request_checksum_calculation=self.checksums,
            response_checksum_validation=self.checksums,
            retries={"total_max_attempts": 3, "mode": "standard"},
            connect_timeout=3,
            read_timeout=30,
            max_pool_connections=threads,
        )


PROFILES: Final[Mapping[str, Profile]] = {
    "aws": Profile("virtual", "when_supported"),
    "seaweedfs": Profile("path", "when_required", delete_needs_md5=True),
    # OSS refuses the path style and aws-chunked, and wants Content-MD5 where many are deleted.
    "oss": Profile("virtual", "when_required", delete_needs_md5=True),
}


def profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        InvalidFieldError: there is none.
    """
    if name not in PROFILES:
        raise InvalidFieldError(f"VIVAVOCE_MEDIA_S3_PROFILE is one of {', '.join(PROFILES)}.", field="s3_profile")
    return PROFILES[name]
