"""Writes and keeps the reports on conversations: from counts, and by a language model where one is at hand."""

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Final

import grpc
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_service_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub
from vivavoce.history.v1 import history_pb2 as history_pb

from mesh.database import Database
from mesh.errors import NotFoundError, VivavoceError
from mesh.peers import Peers
from mesh.wire_errors import from_rpc_error
from mesh.workers import Workers
from services.history.domain.columns import Columns
from services.history.domain.happenings import Conversation, Happening, Said
from services.history.domain.keeping import Memory
from services.history.domain.measures import QUARTER_US
from services.history.domain.progress import Progress, sum_up
from services.history.domain.report import write_report
from services.history.events import from_payload
from services.history.learners import locked_learners
from services.history.tables import ConversationRow, ReportRow, WordRow
from services.history.wire_report import report_pb

_WITHIN_S: Final = 8.0
#: Events a report is about at most; a conversation has fewer.
_EVENTS: Final = 5000
_LINES: Final = 400
_LONGEST_LINE: Final = 8000
#: After every time there is.
_NEVER_US: Final = 2**62


class Reports:
    """The reports. One that knows all of its conversation is kept as it is; else the next version is written."""

    def __init__(self, database: Database, memory: Memory, workers: Workers, peers: Peers) -> None:
        self._database = database
        self._memory = memory
        self._workers = workers
        self._peers = peers

    async def get(self, user_id: str, conversation_id: str) -> history_pb.Report:
        """The report on a conversation of the person's.

        Raises:
            NotFoundError: there is no such conversation.
        """
        conversation = await self._memory.conversation(user_id, conversation_id)
        if conversation is None:
            raise NotFoundError("You have no such conversation; list yours to find its id.", field="conversation_id")
        kept = select(ReportRow.payload).where(
            ReportRow.conversation_id == conversation_id, ReportRow.last_sequence == conversation.last_sequence
        )
        if payload := await self._database.read(lambda session: session.scalar(kept)):
            return history_pb.Report.FromString(payload)
        report = await self._write(conversation)
        return await self._database.run(lambda session: _keep(session, conversation, report))

    async def _write(self, conversation: Conversation) -> history_pb.Report:
        name, user_id = conversation.conversation_id, conversation.user_id
        payloads = await self._memory.happenings(user_id, name, 0, _EVENTS) or []
        columns, _ = await self._memory.counted(user_id)
        later = await self._database.read(lambda session: _soon_after(session, conversation))
        happenings, this, before = await self._workers.run(_summed, payloads, columns, name, later)
        new = await self._database.read(lambda session: _words(session, user_id, this.vocabulary & ~before.vocabulary))
        written = report_pb(write_report(happenings, this, before, new, conversation.language))
        try:
            told = await self._by_a_model(conversation, happenings)
        except VivavoceError:
            # What was written from the counts is a whole report.
            return written
        if told.praise:
            written.praise = told.praise
            written.ClearField("praise_facts")
        if told.next_step:
            written.next_step = told.next_step
            written.ClearField("next_step_facts")
        return written

    async def _by_a_model(
        self, conversation: Conversation, happenings: Sequence[Happening]
    ) -> engine_service_pb.WriteReportResponse:
        context = engine_pb.TutorContext(
            learner=engine_pb.LearnerProfile(target_language=conversation.language),
            scenario_id=conversation.scenario_id,
            lines=[_line(each) for each in happenings if each.text][-_LINES:],
        )
        stub = AiEngineServiceStub(self._peers.channel("ai_engine"))
        try:
            return await stub.WriteReport(
                engine_service_pb.WriteReportRequest(context=context, user_id=conversation.user_id),
                metadata=self._peers.metadata(),
                timeout=_WITHIN_S,
            )
        except grpc.aio.AioRpcError as failed:
            raise from_rpc_error(failed) from None


def _soon_after(session: Session, conversation: Conversation) -> set[str]:
    """The person's conversations that began after this one, and may share its first quarter of an hour."""
    begin_us = conversation.begin_time_us
    soon = ConversationRow.begin_time_us.between(begin_us + 1, conversation.last_time_us + QUARTER_US)
    later = select(ConversationRow.conversation_id).where(ConversationRow.user_id == conversation.user_id, soon)
    return set(session.scalars(later))


def _summed(
    payloads: Sequence[bytes], columns: Columns, name: str, later: Set[str]
) -> tuple[list[Happening], Progress, Progress]:
    """What happened in the conversation, what was counted of it, and of all that was before, but for the later ones."""
    own = columns.of_conversations({name})
    begin_us = columns.start_us[own].min(initial=_NEVER_US)
    earlier = ~own & ~columns.of_conversations(later) & (columns.start_us <= begin_us)
    this, before = sum_up(columns, own), sum_up(columns, earlier)
    new = (this.vocabulary & ~before.vocabulary).bit_count()
    return [from_payload(each) for each in payloads], replace(this, new_words=new), before


def _words(session: Session, user_id: str, numbers: int) -> list[str]:
    """The words of these numbers, hardest first."""
    known = select(WordRow.word, WordRow.number).where(WordRow.user_id == user_id)
    hardest_first = known.order_by(WordRow.level.desc(), WordRow.word)
    return [word for word, number in session.execute(hardest_first) if numbers >> number & 1]


def _keep(session: Session, conversation: Conversation, report: history_pb.Report) -> history_pb.Report:
    locked_learners(session, {conversation.user_id})
    own = ReportRow.conversation_id == conversation.conversation_id
    if session.get(ConversationRow, conversation.conversation_id) is None:
        raise NotFoundError("The conversation was deleted meanwhile.", field="conversation_id")
    if earlier := session.scalar(
        select(ReportRow.payload).where(own, ReportRow.last_sequence == conversation.last_sequence)
    ):
        return history_pb.Report.FromString(earlier)
    report.conversation_id = conversation.conversation_id
    report.version = (session.scalar(select(func.max(ReportRow.version)).where(own)) or 0) + 1
    session.add(
        ReportRow(
            conversation_id=conversation.conversation_id,
            version=report.version,
            user_id=conversation.user_id,
            last_sequence=conversation.last_sequence,
            payload=report.SerializeToString(deterministic=True),
        )
    )
    return report


def _line(happening: Happening) -> engine_pb.ContextLine:
    speaker = engine_pb.SPEAKER_LEARNER if isinstance(happening.content, Said) else engine_pb.SPEAKER_TUTOR
    return engine_pb.ContextLine(speaker=speaker, text=happening.text[:_LONGEST_LINE])
