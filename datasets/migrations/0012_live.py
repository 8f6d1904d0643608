"""What open benches hear of, who is there, and how many pictures each act's undos took back."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F

ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
WORK = ["dataset", "created_by", "created_at", "kind", "changed", "suggested", "agreed", "undone"]
KINDS = [("act", "Act"), ("undo", "Undo"), ("labels", "Labels"), ("pictures", "Pictures")]


def count_undone(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Acts undone so far: how many pictures each had skipped is not known any more."""
    acts = apps.get_model("datasets", "TagAction").objects.exclude(undone_at=None)
    acts.update(undone=F("changed"))


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("datasets", "0010_choosing_before_storing"),
        ("datasets", "0011_exports"),
    ]

    operations = [
        migrations.AddField(
            "tagaction", "undone", models.PositiveIntegerField(default=0, verbose_name="taken back")
        ),
        migrations.RunPython(count_undone, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex("tagaction", models.Index(fields=WORK, name="work_of_a_person")),
        migrations.CreateModel(
            "Happening",
            [
                ("id", ID),
                ("kind", models.CharField(choices=KINDS, max_length=8)),
                ("images", models.PositiveIntegerField(default=0)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "action",
                    models.ForeignKey(
                        "datasets.tagaction",
                        django.db.models.deletion.CASCADE,
                        null=True,
                        related_name="+",
                        db_index=False,
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        "datasets.dataset",
                        django.db.models.deletion.CASCADE,
                        related_name="happenings",
                        db_index=False,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL,
                        django.db.models.deletion.SET_NULL,
                        null=True,
                        related_name="+",
                        db_index=False,
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["dataset", "id"], name="happening_since")]},
        ),
        migrations.CreateModel(
            "Presence",
            [
                ("id", ID),
                ("seen_at", models.DateTimeField()),
                (
                    "dataset",
                    models.ForeignKey(
                        "datasets.dataset",
                        django.db.models.deletion.CASCADE,
                        related_name="+",
                        db_index=False,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, django.db.models.deletion.CASCADE, related_name="+"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("dataset", "user"), name="one_presence_a_person")
                ]
            },
        ),
    ]
