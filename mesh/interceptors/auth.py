"""Lets in who may call, by the `access` option of the RPC; makes the caller and their place known to the handler."""

from typing import assert_never

from grpc_interceptor import AsyncServerInterceptor

from mesh import entitlement
from mesh.access import Rule, Who, rule_of
from mesh.calls import current_call
from mesh.entitlement import Entitlement
from mesh.errors import NotAllowedError, NotBuiltError, UnauthenticatedError
from mesh.identity import Caller, enter
from mesh.interceptors.wire import Context, Handler, Request, Response
from mesh.origin import INGRESS, Origin, enter_origin
from mesh.tls import peer_service
from mesh.tokens import TokenVerifier

_SCHEME = "bearer "


class AuthInterceptor(AsyncServerInterceptor):
    """Checks who calls against the rule of the RPC: by the token in the `authorization` metadata, or by certificate.

    A person's token that a service passes on makes it the person's call, whatever certificate the service shows.

    An RPC that is open to anyone does not look at it: whoever renews an expired token may send it along.
    An RPC that is planned answers UNIMPLEMENTED to whoever may call it.
    A person's stream is watched over: it ends when their login session does, or their access token expires.
    """

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def intercept(
        self, method: Handler, request_or_iterator: Request, context: Context, method_name: str
    ) -> Response:
        """Refuses, or lets the handler run as the caller."""
        enter_origin(Origin(context, self._verifier))
        rule = rule_of(method_name)
        if rule is None:
            raise NotAllowedError("This call is open to nobody; the server's contract does not say who may make it.")
        entitled: Entitlement | None = None
        if rule.who is not Who.ANYONE:
            who = await self._caller(context)
            _admit(who, rule)
            enter(who)
            entitled = self._entitle(who, rule)
        if rule.planned:
            raise NotBuiltError("This call is specified and not built yet.")
        response = method(request_or_iterator, context)
        if not hasattr(response, "__aiter__"):
            return await response
        # From here on the call may be ended from beside its handler. Where these went with the first message, and that
        # is under way, gRPC would send them twice with the status, and fail: the peer would wait for it for ever.
        await context.send_initial_metadata(())
        if entitled is not None and self._verifier.revocations is not None:
            self._verifier.revocations.watch(entitled, until=entitled.call.task)
        return response

    def _entitle(self, who: Caller, rule: Rule) -> Entitlement | None:
        call = current_call()
        if call is None or not who.user_id:
            return None
        entitled = Entitlement(who, rule.scopes, self._verifier.verify, call)
        entitlement.enter(entitled)
        return entitled

    async def _caller(self, context: Context) -> Caller:
        """Who calls: by the token, where one came; a service that showed its certificate needs none."""
        peer, token = peer_service(context.auth_context()), _bearer(context)
        # Whatever brings clients in calls for people, and is nobody itself.
        if peer and peer != INGRESS and not token:
            return Caller(service=peer)
        who = await self._verifier.verify(token)
        if peer and who.service and who.service != peer:
            raise NotAllowedError("The token is of another service than the certificate.")
        return who


def _admit(who: Caller, rule: Rule) -> None:
    match rule.who:
        case Who.ANYONE:
            return
        case Who.SIGNED_IN:
            if not who.user_id:
                raise NotAllowedError("Only a person may make this call; send the person's token.")
            if missing := rule.scopes - who.scopes:
                raise NotAllowedError(
                    f"The access token lacks the scope {' '.join(sorted(missing))}; sign in for it.",
                    metadata={"scopes": " ".join(sorted(missing))},
                )
            if rule.in_person and not who.in_person:
                raise NotAllowedError("A personal access token may not do this; log in and send the access token.")
        case Who.SERVICE:
            if who.service not in rule.services:
                raise NotAllowedError("Only services of the mesh may make this call.")
        case _:
            assert_never(rule.who)


def _bearer(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            if not text.lower().startswith(_SCHEME):
                raise UnauthenticatedError("The authorization must read `Bearer <access token>`.")
            return text[len(_SCHEME) :].strip()
    return ""
