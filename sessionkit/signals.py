"""What happens to sessions, as blinker signals. The sender is the manager.

Receivers get ``session``, or None where there is none or not yet, and the keyword arguments named
below, never an id and never a value. A receiver that raises is logged and changes nothing.

``keys`` are the names of keys that changed, those of flash messages as ``flash:name``. ``owned``
says whether the session has an owner.
"""

from __future__ import annotations

import logging
import typing as t

import blinker

Signal: t.TypeAlias = blinker.NamedSignal

_logger = logging.getLogger("sessionkit")

_namespace = blinker.Namespace()

#: A session was written for the first time: ``keys``, ``owned``.
created: Signal = _namespace.signal("created")

#: A request has read the session that its cookie leads to: ``owned``.
loaded: Signal = _namespace.signal("loaded")

#: A session was written: ``keys`` and ``reason``, one of ``changed``; ``early``: by
#: ``session.save()``; ``forced``: nothing changed, but the application said so; ``refreshed``:
#: nothing changed, but its life is longer now.
saved: Signal = _namespace.signal("saved")

#: A session got a new id: ``keys``, ``owned``, ``owner_changed``.
renewed: Signal = _namespace.signal("renewed")

#: A session was ended: ``reason``, one of ``ended``; ``replaced``: by a new one in its place;
#: ``revoked``: from elsewhere; ``evicted``: by a login beyond ``policy.max_sessions_per_owner``.
destroyed: Signal = _namespace.signal("destroyed")

#: An id was used whose time is over: ``owned``. Only known as long as the store has the record.
expired: Signal = _namespace.signal("expired")

#: Another request has written or ended the session since this one has read it: ``keys``, what this
#: one wants to write. It reads again, and tries again if the session lives.
conflict: Signal = _namespace.signal("conflict")

#: After a conflict both changes were put together: ``keys``, those of this request.
merged: Signal = _namespace.signal("merged")

#: What a request wrote was given up: ``keys`` and ``reason``, one of ``superseded``, ``ended``,
#: ``unavailable``, ``error_response``, ``mutate_failed``, ``undecodable``, ``type``.
dropped: Signal = _namespace.signal("dropped")

#: A cookie was refused: ``reason``, one of ``malformed``: no id, or badly signed; ``unknown``: no
#: such session, any more; ``revoked``, ``evicted``: somebody else has ended it a while ago;
#: ``corrupt``: its record is damaged.
rejected: Signal = _namespace.signal("rejected")

#: An id was used that a newer one has replaced.
superseded_use: Signal = _namespace.signal("superseded_use")

#: The store stopped answering: ``node``.
store_down: Signal = _namespace.signal("store_down")

#: The store answers again: ``node``.
store_up: Signal = _namespace.signal("store_up")


def emit(signal: Signal, sender: object, **values: t.Any) -> None:
    """Send *signal*; log what a receiver raises, so that it changes nothing."""
    if not signal.receivers:
        return

    for receiver in list(signal.receivers_for(sender)):
        try:
            receiver(sender, **values)
        except Exception as error:  # noqa: BLE001  # somebody else's code
            # The error's text may contain what the receiver saw; its type cannot.
            _logger.error("a receiver of %s raised %s", signal.name, type(error).__name__)
