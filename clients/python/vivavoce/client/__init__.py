"""Vivavoce for Python programs: sign in, and hold conversations that outlast cuts, with sound in and out."""

from vivavoce.client.access import Access
from vivavoce.client.client import Client
from vivavoce.client.conversation import Conversation, Event
from vivavoce.client.errors import ClientError, UnreachableError
from vivavoce.client.jitter import JitterBuffer
from vivavoce.client.reading import Reader

__all__ = ["Access", "Client", "ClientError", "Conversation", "Event", "JitterBuffer", "Reader", "UnreachableError"]
