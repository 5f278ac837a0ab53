"""The RPCs about what stands for a login elsewhere: personal access tokens, tickets, and the list of what was ended."""

from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.type.v1 import access_pb2 as access_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.errors import InvalidFieldError
from mesh.identity import caller
from mesh.interceptors.wire import Context
from mesh.pages import Page
from services.user.access_keys import AccessKeys
from services.user.domain.access_keys import AccessKey
from services.user.revocations import Revocations
from services.user.servicer.wire import timestamp, tokens_to_pb
from services.user.tickets import Tickets

_PREFIX = "SCOPE_"


class AccessKeyRpcs:
    """Translates; the rules are the domain's."""

    def __init__(self, *, access_keys: AccessKeys, tickets: Tickets, revocations: Revocations) -> None:
        self._access_keys = access_keys
        self._tickets = tickets
        self._revocations = revocations

    async def CreateAccessKey(
        self, request: service_pb.CreateAccessKeyRequest, context: Context
    ) -> service_pb.CreateAccessKeyResponse:
        """Makes one, and shows it once."""
        expire_time_us = _microseconds("expire_time", request.expire_time) if request.HasField("expire_time") else None
        key, token = await self._access_keys.create(caller(), request.name, map(_scope, request.scopes), expire_time_us)
        return service_pb.CreateAccessKeyResponse(access_key=_key_pb(key), token=token)

    async def ListAccessKeys(
        self, request: service_pb.ListAccessKeysRequest, context: Context
    ) -> service_pb.ListAccessKeysResponse:
        """Lists the caller's, latest first."""
        page = Page("ListAccessKeys", request.page_size, request.page_token, caller().user_id)
        found = await self._access_keys.list(caller().user_id, page.after, page.limit)
        shown, more = page.cut(found, lambda key: (key.create_time_us, key.access_key_id))
        return service_pb.ListAccessKeysResponse(access_keys=map(_key_pb, shown), next_page_token=more)

    async def RevokeAccessKey(
        self, request: service_pb.RevokeAccessKeyRequest, context: Context
    ) -> service_pb.RevokeAccessKeyResponse:
        """Ends one of the caller's."""
        await self._access_keys.revoke(caller().user_id, request.access_key_id)
        return service_pb.RevokeAccessKeyResponse()

    async def ExchangeAccessKey(
        self, request: service_pb.ExchangeAccessKeyRequest, context: Context
    ) -> service_pb.ExchangeAccessKeyResponse:
        """Exchanges one for an access token."""
        issued = await self._access_keys.exchange(request.token)
        return service_pb.ExchangeAccessKeyResponse(tokens=tokens_to_pb(issued))

    async def ListRevocations(
        self, request: service_pb.ListRevocationsRequest, context: Context
    ) -> service_pb.ListRevocationsResponse:
        """Lists what was ended from a time on."""
        start_us = _microseconds("start_time", request.start_time) if request.HasField("start_time") else None
        told = await self._revocations.since(start_us)
        return service_pb.ListRevocationsResponse(
            revocations=[
                service_pb.Revocation(session_id=each.session_id, revoke_time=timestamp(each.time_us))
                for each in told.revocations
            ],
            next_start_time=timestamp(told.next_start_us),
        )

    async def IssueTicket(
        self, request: service_pb.IssueTicketRequest, context: Context
    ) -> service_pb.IssueTicketResponse:
        """Issues a ticket, bound to the page the call came from, if any."""
        return service_pb.IssueTicketResponse(ticket=await self._tickets.issue(caller(), _origin(context)))

    async def RedeemTicket(
        self, request: service_pb.RedeemTicketRequest, context: Context
    ) -> service_pb.RedeemTicketResponse:
        """Exchanges a ticket for an access token, once."""
        issued = await self._tickets.redeem(request.ticket, request.origin)
        return service_pb.RedeemTicketResponse(tokens=tokens_to_pb(issued))


def _origin(context: Context) -> str:
    """As the edge passes it on. Who calls otherwise binds only their own ticket by it."""
    return next((str(value) for key, value in context.invocation_metadata() or () if key == "origin"), "")


def _scope(scope: access_pb.Scope.ValueType) -> str:
    if scope == access_pb.SCOPE_UNSPECIFIED or scope not in access_pb.Scope.values():
        raise InvalidFieldError("scopes holds one that the contract does not know.", field="scopes")
    return access_pb.Scope.Name(scope).removeprefix(_PREFIX).lower()


def _microseconds(name: str, time: Timestamp) -> int:
    try:
        return time.ToMicroseconds()
    except ValueError:
        raise InvalidFieldError(f"{name} is no time between the years 1 and 9999.", field=name) from None


def _key_pb(key: AccessKey) -> service_pb.AccessKey:
    return service_pb.AccessKey(
        access_key_id=key.access_key_id,
        name=key.name,
        prefix=key.prefix,
        scopes=[access_pb.Scope.Value(_PREFIX + scope.upper()) for scope in sorted(key.scopes)],
        create_time=timestamp(key.create_time_us),
        expire_time=timestamp(key.expire_time_us),
        last_used_time=None if key.last_used_time_us is None else timestamp(key.last_used_time_us),
    )
