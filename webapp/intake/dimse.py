"""The DICOM listener: C-ECHO and C-STORE, each image sealed and on the disk before it is answered.

What is printed and logged: who called, how many images, how it ended. Never what an image says.
"""

import logging
import ssl
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import close_old_connections, connection
from pynetdicom import AE, evt
from pynetdicom.association import Association

from webapp.audit.actor import SYSTEM
from webapp.campaigns.models import Campaign
from webapp.intake.classes import SOP_CLASSES, TRANSFER_SYNTAXES, VERIFICATION
from webapp.intake.instances import OUT_OF_RESOURCES, PROCESSING_FAILURE, STORED, Announced, status_of, take_instance
from webapp.intake.quarantine import Staging
from webapp.intake.receiving import NOTHING_SAID, Said, Sender, note_sent_whole
from webapp.intake.sources import LARGEST_FILE_BYTES, MIB

SUCCESS = 0x0000
# A sender that says nothing for so long is taken for gone.
SILENCE_S = 120.0
WORD_WITHIN_S = 20.0
LARGEST_PDU_BYTES = 256 * 1024
ROOM_FOR_COMMANDS = 1024 * 1024


@dataclass
class Conversation:
    """One association: where its images go, and how many were stored and refused."""

    caller: str
    address: str
    sender: Sender | None
    stored: int = 0
    refused: int = 0
    batches: set[uuid.UUID] = field(default_factory=set)
    failed_batches: bool = False
    # Bytes of the message that is on its way: the library holds them until it is whole.
    arriving: int = 0


class Listener:
    """Takes images for campaigns by the called AE title; `say` gets one line for each association."""

    def __init__(
        self,
        campaigns: Mapping[str, str],
        callers: Sequence[str] = (),
        most_associations: int = 10,
        say: Callable[[str], object] = print,
        said: Said = NOTHING_SAID,
    ) -> None:
        """`campaigns` maps called AE titles to slugs; without `callers` any calling AE title is let in."""
        self.campaigns = dict(campaigns)
        self._said = said
        self._say = say
        self._open: dict[Association, Conversation] = {}
        # pynetdicom tells of requests, UIDs and all, as soon as anybody listens.
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
        self._ae = AE(ae_title=next(iter(self.campaigns)))
        self._ae.require_called_aet = True
        self._ae.require_calling_aet = list(callers)
        self._ae.maximum_associations = most_associations
        self._ae.maximum_pdu_size = LARGEST_PDU_BYTES
        self._ae.network_timeout = self._ae.dimse_timeout = SILENCE_S
        for uid in SOP_CLASSES:
            self._ae.add_supported_context(uid, list(TRANSFER_SYNTAXES))
        self._ae.add_supported_context(VERIFICATION)

    def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen in threads of its own; return the port. Raises OSError."""
        handlers = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_ESTABLISHED, self._established),
            (evt.EVT_REJECTED, self._rejected),
            (evt.EVT_C_ECHO, lambda event: SUCCESS),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_DATA_RECV, self._received),
            (evt.EVT_RELEASED, self._released),
            (evt.EVT_ABORTED, self._aborted),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]
        server = self._ae.start_server((host, port), block=False, ssl_context=tls, evt_handlers=handlers)  # type: ignore[arg-type]
        assert server is not None
        return int(server.server_address[1])

    def stop(self) -> None:
        """Break off what is under way and listen no more."""
        self._ae.shutdown()

    def _requested(self, event: Any) -> None:
        """Answer to whichever of our AE titles was called: the library knows of one alone."""
        called = event.assoc.requestor.primitive.called_ae_title.strip()
        if called in self.campaigns:
            event.assoc.acceptor.ae_title = called

    def _established(self, event: Any) -> None:
        association: Association = event.assoc
        caller = association.requestor.ae_title.strip()
        conversation = Conversation(caller, str(association.requestor.address), None)
        self._open[association] = conversation
        try:
            close_old_connections()
            slug = self.campaigns[association.acceptor.ae_title.strip()]
            campaign = Campaign.objects.get(slug=slug)
            conversation.sender = Sender("dimse", campaign, SYSTEM, caller, self._said)
        except Exception as error:
            # Each image is answered with a failure then: the sender tries again later.
            self._say(f"{caller}: its campaign cannot be found now ({type(error).__name__}).")

    def _rejected(self, event: Any) -> None:
        requestor = event.assoc.requestor
        self._say(f"{requestor.primitive.calling_ae_title.strip()} ({requestor.address}): turned away.")

    def _received(self, event: Any) -> None:
        """Break off whoever sends more than one image may have: it would fill the memory before it could be refused."""
        conversation = self._open.get(event.assoc)
        if conversation is None:
            return
        before, limit = conversation.arriving, LARGEST_FILE_BYTES + ROOM_FOR_COMMANDS
        conversation.arriving += len(event.data)
        if before <= limit < conversation.arriving:
            self._say(f"{conversation.caller}: more than {LARGEST_FILE_BYTES // MIB:,} MB in one message.")
            # Not from here: this is the thread that an abort waits for.
            threading.Thread(target=event.assoc.abort, daemon=True).start()

    def _store(self, event: Any) -> int:
        conversation = self._open.get(event.assoc)
        if conversation is None or conversation.sender is None:
            return PROCESSING_FAILURE
        conversation.arriving = 0
        status = self._taken(event, conversation, conversation.sender)
        if status == STORED:
            conversation.stored += 1
        else:
            conversation.refused += 1
            # Which series an image is of is not always known: none of these counts as whole then.
            conversation.failed_batches = conversation.failed_batches or status in (
                PROCESSING_FAILURE,
                OUT_OF_RESOURCES,
            )
        return status

    def _taken(self, event: Any, conversation: Conversation, sender: Sender) -> int:
        request = event.request
        announced = Announced(str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID))
        try:
            close_old_connections()
            with Staging("image.dcm", LARGEST_FILE_BYTES) as staging:
                staging.write(event.encoded_dataset())
                staged = staging.finish()
        except Exception as error:
            return status_of(error)
        taken = take_instance(sender=sender, staged=staged, announced=announced)
        if taken.batch_id is not None:
            conversation.batches.add(taken.batch_id)
        return taken.status

    def _released(self, event: Any) -> None:
        self._end(event.assoc, "ended", whole=True)

    def _aborted(self, event: Any) -> None:
        self._end(event.assoc, "broke off", whole=False)

    def _closed(self, event: Any) -> None:
        """The connection is gone. How it ended is told by another thread, perhaps a moment later; perhaps by none."""
        if event.assoc in self._open:
            later = threading.Timer(WORD_WITHIN_S, self._end, (event.assoc, "was lost"), {"whole": False})
            later.daemon = True
            later.start()

    def _end(self, association: Association, how: str, *, whole: bool) -> None:
        conversation = self._open.pop(association, None)
        if conversation is None:
            return
        try:
            if whole and not conversation.failed_batches and conversation.batches:
                note_sent_whole(conversation.batches)
        except Exception as error:
            # They wait for a coordinator, as those of a sender that broke off do.
            self._say(
                f"{conversation.caller}: its series wait, for the database does not answer ({type(error).__name__})."
            )
        finally:
            connection.close()
        counts = f"{conversation.stored} stored, {conversation.refused} refused"
        self._say(f"{conversation.caller} ({conversation.address}): {how}; {counts}.")


def tls_context(certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later with this certificate; with `client_ca` only senders whose certificate it signed are let in.

    Raises OSError (ssl.SSLError among it).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
