"""What the list and the page of a session say about it. Whatever a visitor has sent is escaped."""

from __future__ import annotations

import typing as t

from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.html import format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sessionkit.devices import LIMITS
from sessionkit.moments import moment

from ._rows import facts_of

if t.TYPE_CHECKING:
    from .models import Session

_NOTHING: t.Final = "-"
#: So many characters of a device's name do not widen the list too much.
_WIDTH: t.Final = 40


class Columns:
    """Columns of the list, and lines of the page. Rows must have their facts."""

    @admin.display(description=gettext_lazy("device"))
    def device(self, row: Session) -> str:
        info = facts_of(row).info

        if info is None:
            return _NOTHING

        name = info.browser or info.system or info.user_agent or _("Unknown device")

        if info.browser and info.system:
            name = _("%(browser)s on %(system)s") % {"browser": info.browser, "system": info.system}

        return format_html("<bdi>{}</bdi>", Truncator(info.label or name).chars(_WIDTH))

    @admin.display(description=gettext_lazy("user"))
    def user(self, row: Session) -> str:
        user = facts_of(row).user
        return _NOTHING if user is None else format_html("<bdi>{}</bdi>", str(user))

    @admin.display(description=gettext_lazy("owner"), ordering="owner")
    def owner_shown(self, row: Session) -> str:
        return facts_of(row).owner or _NOTHING

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Session) -> str:
        facts = facts_of(row)

        if facts.is_current:
            return format_html("{} <strong>{}</strong>", _("Live"), _("This session"))

        if facts.state == "ended":
            return _("Ended: %s") % facts.reason

        names = {"live": _("Live"), "expired": _("Expired"), "unreadable": _("Unreadable")}
        return names[facts.state]

    @admin.display(description=gettext_lazy("public id"))
    def public_id(self, row: Session) -> str:
        info = facts_of(row).info
        return _NOTHING if info is None else info.public_id

    @admin.display(description=gettext_lazy("last seen"))
    def seen(self, row: Session) -> str:
        info = facts_of(row).info
        return _NOTHING if info is None else _when(info.seen_at)

    @admin.display(description=gettext_lazy("created"))
    def created(self, row: Session) -> str:
        info = facts_of(row).info
        return _NOTHING if info is None else _when(info.created_at)

    @admin.display(description=gettext_lazy("expires"), ordering="expires_at")
    def expires(self, row: Session) -> str:
        return _when(row.expires_at)

    @admin.display(description=gettext_lazy("address"))
    def address(self, row: Session) -> str:
        info = facts_of(row).info
        return (info and _cut(info.address or "", "address")) or _NOTHING

    @admin.display(description=gettext_lazy("user agent"))
    def user_agent(self, row: Session) -> str:
        info = facts_of(row).info
        return (info and _cut(info.user_agent or "", "user_agent")) or _NOTHING

    @admin.display(description=gettext_lazy("bytes"))
    def size(self, row: Session) -> str:
        return str(facts_of(row).size)

    @admin.display(description=gettext_lazy("bytes of each key"))
    def sizes(self, row: Session) -> str:
        line = "<tr><th><bdi>{}</bdi></th><td>{}</td></tr>"
        lines = format_html_join("", line, facts_of(row).sizes)
        return format_html("<table>{}</table>", lines) if lines else _NOTHING


def _when(seconds: float) -> str:
    # With time zones switched off in the project, too, it is the local time.
    local = moment(seconds).astimezone(timezone.get_current_timezone())
    return date_format(local, "DATETIME_FORMAT")


def _cut(text: str, kind: str) -> str:
    return text[: LIMITS[kind]]
