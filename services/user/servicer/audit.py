"""The RPC about what happened to accounts."""

from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.identity import caller
from mesh.interceptors.wire import Context
from mesh.pages import Page
from services.user.audit import Audit
from services.user.domain.audit import AuditEvent
from services.user.servicer.wire import timestamp


class AuditRpcs:
    """Translates; the rules are the domain's."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def ListAuditEvents(
        self, request: service_pb.ListAuditEventsRequest, context: Context
    ) -> service_pb.ListAuditEventsResponse:
        """Lists what happened to an account, latest first."""
        page = Page("ListAuditEvents", request.page_size, request.page_token, caller().user_id, request.user_id)
        found = await self._audit.events(caller(), request.user_id, page.after, page.limit)
        shown, more = page.cut(found, lambda event: (event.time_us, event.event_id))
        return service_pb.ListAuditEventsResponse(events=map(_event_pb, shown), next_page_token=more)


def _event_pb(event: AuditEvent) -> service_pb.AuditEvent:
    return service_pb.AuditEvent(
        time=timestamp(event.time_us),
        kind=event.kind.value,
        user_id=event.user_id,
        network=event.network,
        client=event.client,
    )
