"""What goes out of data sets, and acts that change label and trash at once."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0010_looks_groups_and_alike"),
        ("jobs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="tagchange", name="trashed_before", field=models.DateTimeField(null=True)
        ),
        migrations.AlterField(
            model_name="tagaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("tag", "Tagged"),
                    ("trash", "Moved to the trash"),
                    ("restore", "Taken out of the trash"),
                    ("return", "Set back to a snapshot"),
                    ("accept", "Suggestions accepted"),
                    ("skip", "Marked as not sure"),
                    ("unskip", "No longer marked as not sure"),
                ],
                default="tag",
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("format", models.CharField(max_length=32, verbose_name="format")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("packing", "Packing"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                        ],
                        default="queued",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=120)),
                ("bytes", models.BigIntegerField(default=0, verbose_name="bytes")),
                ("images", models.PositiveIntegerField(default=0, verbose_name="images")),
                ("left_out", models.PositiveIntegerField(default=0, verbose_name="left out")),
                ("message", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished")),
                ("expires_at", models.DateTimeField(blank=True, db_index=True, null=True, verbose_name="kept until")),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="exports", to="datasets.dataset"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="jobs.job"
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="exports",
                        to="datasets.snapshot",
                    ),
                ),
            ],
            options={"verbose_name": "export", "verbose_name_plural": "exports"},
        ),
    ]
