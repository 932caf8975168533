"""What happens to sessions, as blinker signals. The sender is the manager.

Receivers get ``session`` (where there is one) and the keyword arguments named below, never an id
and never a value. A receiver that raises is logged and changes nothing.
"""

from __future__ import annotations

import logging
import typing as t

import blinker

Signal: t.TypeAlias = blinker.NamedSignal

_logger = logging.getLogger("sessionkit")

_namespace = blinker.Namespace()

#: A session was written for the first time.
created: Signal = _namespace.signal("created")

#: A session was written: ``keys``, the names that changed.
saved: Signal = _namespace.signal("saved")

#: A session got a new id: ``owner_changed``.
renewed: Signal = _namespace.signal("renewed")

#: A session was ended: ``reason``.
destroyed: Signal = _namespace.signal("destroyed")

#: Another request had written the session in between, and both changes were kept: ``keys``.
merged: Signal = _namespace.signal("merged")

#: What a request wrote was given up: ``keys`` and ``reason``, one of ``superseded``, ``ended``,
#: ``unavailable``, ``error_response``, ``mutate_failed``, ``undecodable``.
dropped: Signal = _namespace.signal("dropped")

#: A cookie was refused: ``reason``, one of ``malformed``, ``unknown``, ``expired``, ``corrupt``.
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
