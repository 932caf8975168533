"""Sessions in Django's admin: to be looked at and to be ended.

``django.contrib.admin`` finds it by itself. Pages and URLs name a session by the beginning of its
key: that leads to the row by the index, which a ``public_id`` does not, and is of no other use.
"""

from __future__ import annotations

import typing as t

from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_permission_codename
from django.utils.translation import gettext_lazy

from ._columns import Columns
from ._endings import Outcome
from ._endings import end_all
from ._filters import ExpiryFilter
from ._filters import SeenFilter
from ._filters import StateFilter
from ._reports import log
from ._reports import told
from ._rows import facts_of
from ._rows import is_encrypted
from ._rows import known
from ._rows import manager_in_use
from ._rows import named
from ._rows import reader_for
from ._rows import store_in_use
from ._users import owners_called
from .models import Session

if t.TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    _Admin = admin.ModelAdmin[Session]
else:
    _Admin = admin.ModelAdmin

#: By comparing with others whoever may look could find out what a session holds.
_LOOKUPS: t.Final = frozenset({"owner", "owner__exact", "owner__isempty", "state", "seen"})


class SessionList(ChangeList):
    """One page of the list."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: t.Any = known(self.result_list, request)


@admin.register(Session)
class SessionAdmin(Columns, _Admin):
    """Lists sessions and ends them. Nothing can be added or changed, and no value is shown."""

    list_display: t.Any = (
        *("device", "user", "owner_shown", "state"),
        *("seen", "created", "address", "expires"),
    )
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering: t.ClassVar[t.Any] = ("-expires_at",)
    actions: t.Any = ("end_selected",)
    search_fields: t.ClassVar[t.Any] = ("owner",)
    search_help_text: t.ClassVar[t.Any] = gettext_lazy("The name of a user, or an owner, in full")
    readonly_fields: t.ClassVar[t.Any] = (
        *("device", "user", "owner_shown", "state", "public_id", "seen", "created", "expires"),
        *("address", "user_agent", "size", "sizes"),
    )
    fields: t.ClassVar[t.Any] = readonly_fields

    # --- who may do what ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        # A row is not deleted: its session is ended.
        return False

    def has_view_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        return store_in_use() is not None and self._may(request, "view")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and self._may(request, "delete")

    def _may(self, request: HttpRequest, action: str) -> bool:
        name = get_permission_codename(action, self.opts)
        return bool(t.cast(t.Any, request).user.has_perm(f"{self.opts.app_label}.{name}"))

    def lookup_allowed(self, lookup: str, value: t.Any, request: t.Any = None) -> bool:
        return lookup in _LOOKUPS

    # --- which rows ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        store = store_in_use()
        rows: t.Any = super().get_queryset(request)
        found: QuerySet[Session] = rows.using(store.alias if store else None)
        return found

    def get_list_filter(self, request: HttpRequest) -> t.Any:
        owned = ("owner", admin.EmptyFieldListFilter)

        if is_encrypted():
            return (ExpiryFilter, owned)

        return (StateFilter, SeenFilter, owned)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        name = search_term.strip()

        if not name:
            return queryset, False

        owners = owners_called(name)

        if is_encrypted():
            store: t.Any = manager_in_use().store
            now = manager_in_use().clock()
            keys = [key for owner in owners for key in store.owned_by(owner, now)]
            return queryset.filter(key__in=keys), False

        return queryset.filter(owner__in=owners), False

    def get_changelist(self, request: HttpRequest, **kwargs: t.Any) -> type[ChangeList]:
        return SessionList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Session | None:
        rows = known(named(self.get_queryset(request), object_id), request)
        return rows[0] if len(rows) == 1 else None

    # --- ending ---

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Session], *args: t.Any, **kwargs: t.Any
    ) -> t.Any:
        form = request.POST.copy()
        names = form.getlist(helpers.ACTION_CHECKBOX_NAME)
        keys = list(named(self.get_queryset(request), *names).values_list("key", flat=True))
        # Without any Django would ask for a selection, though there was one that is gone.
        form.setlist(helpers.ACTION_CHECKBOX_NAME, keys or names)
        request.POST = form  # type: ignore[assignment]
        return super().response_action(request, queryset, *args, **kwargs)

    @admin.action(description=gettext_lazy("End selected sessions"), permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """End them through the manager. The session of the one who does it goes on."""
        outcome = Outcome()

        try:
            end_all(queryset, manager_in_use(), reader_for(request), outcome)
        finally:
            log(request, outcome)

        for level, text in told(outcome):
            self.message_user(request, text, level)

    def render_change_form(
        self, request: HttpRequest, context: t.Any, *args: t.Any, **kwargs: t.Any
    ) -> t.Any:
        facts = facts_of(context["original"])
        context["may_end"] = (
            facts.state != "ended" and not facts.is_current and self.has_end_permission(request)
        )
        return super().render_change_form(request, context, *args, **kwargs)
