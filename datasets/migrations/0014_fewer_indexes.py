"""Indexes that another one serves as well: PostgreSQL writes each anew for every picture that is tagged."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

CASCADE, SET_NULL = django.db.models.deletion.CASCADE, django.db.models.deletion.SET_NULL


def without_index(to: str, on_delete: Any = SET_NULL, **more: Any) -> Any:
    """A foreign key that the model's own indexes answer for."""
    more.setdefault("related_name", "+")
    return models.ForeignKey(f"datasets.{to}", on_delete, db_index=False, **more)


class Migration(migrations.Migration):
    dependencies = [("datasets", "0013_purged_labels")]

    operations = [
        migrations.RemoveIndex("image", "image_of_import"),
        migrations.AlterField("image", "sha256", models.CharField(max_length=64)),
        migrations.RemoveConstraint("image", "one_picture_a_data_set"),
        migrations.AddConstraint(
            "image", models.UniqueConstraint(fields=["sha256", "dataset"], name="one_picture_a_data_set")
        ),
        migrations.AlterField(
            "tagchange", "action", without_index("tagaction", CASCADE, related_name="changes")
        ),
        migrations.AlterField("tagchange", "before", without_index("label", null=True)),
        migrations.AlterField("tagchange", "after", without_index("label", null=True)),
        migrations.AlterField("tagchange", "previous_action", without_index("tagaction", null=True)),
        *[
            migrations.AddIndex(
                "tagchange",
                models.Index(
                    fields=[column], condition=Q(**{f"{column}__isnull": False}), name=f"change_{column}"
                ),
            )
            for column in ("before", "after", "previous_action")
        ],
    ]
