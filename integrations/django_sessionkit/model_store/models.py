"""The table of sessions. What is in it cannot be used as a cookie."""

from __future__ import annotations

import typing as t

from django.db import models

if t.TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    CharField = models.CharField[t.Any, t.Any]
else:
    CharField = models.CharField


class ExactCharField(CharField):
    """Text that is compared letter by letter, also by databases that ignore case and accents."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        kind: str | None = super().db_type(connection)

        if kind is not None and connection.vendor == "postgresql":
            # The same under a name for which Django makes no second index, for LIKE.
            return kind.replace("varchar", "character varying")

        return kind

    def db_parameters(self, connection: BaseDatabaseWrapper) -> t.Any:
        parameters: t.Any = super().db_parameters(connection)

        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"

        return parameters


class Session(models.Model):
    """One session. For reading; to end sessions use the manager."""

    #: The SHA-256 of the session's id.
    key: ExactCharField = ExactCharField(max_length=64, primary_key=True)
    payload: models.BinaryField[t.Any, t.Any] = models.BinaryField()
    version: models.BigIntegerField[t.Any, t.Any] = models.BigIntegerField()
    #: POSIX seconds.
    expires_at: models.FloatField[t.Any, t.Any] = models.FloatField()
    owner: ExactCharField = ExactCharField(max_length=255, null=True)

    class Meta:
        indexes: t.ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="sessionkit_store_expiry"),
            models.Index(fields=["owner"], name="sessionkit_store_owner"),
        ]
        verbose_name = "session"
        verbose_name_plural = "sessions"

    def __str__(self) -> str:
        return str(self.key)[:8]
