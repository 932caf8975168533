"""The table of sessions."""

from __future__ import annotations

import typing as t

from django.db import migrations
from django.db import models

import django_sessionkit.model_store.models


class Migration(migrations.Migration):
    initial: t.ClassVar[bool | None] = True
    dependencies: t.ClassVar[t.Any] = []
    operations: t.ClassVar[t.Any] = [
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "key",
                    django_sessionkit.model_store.models.ExactCharField(
                        max_length=64, primary_key=True, serialize=False
                    ),
                ),
                ("payload", models.BinaryField()),
                ("version", models.BigIntegerField()),
                ("expires_at", models.FloatField()),
                (
                    "owner",
                    django_sessionkit.model_store.models.ExactCharField(max_length=255, null=True),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "indexes": [
                    models.Index(fields=["expires_at"], name="sessionkit_store_expiry"),
                    models.Index(fields=["owner"], name="sessionkit_store_owner"),
                ],
            },
        ),
    ]
