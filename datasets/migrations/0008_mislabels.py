"""Pictures that may have the wrong label."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

CASCADE = django.db.models.deletion.CASCADE


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0007_trash_is_emptied"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Mislabel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("score", models.FloatField(verbose_name="score")),
                ("neighbours", models.JSONField(default=list)),
                ("found_at", models.DateTimeField(auto_now_add=True, verbose_name="found")),
                ("dismissed_at", models.DateTimeField(blank=True, null=True, verbose_name="dismissed")),
                (
                    "dataset",
                    models.ForeignKey(on_delete=CASCADE, related_name="mislabels", to="datasets.dataset"),
                ),
                (
                    "dismissed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("given", models.ForeignKey(on_delete=CASCADE, related_name="+", to="datasets.label")),
                (
                    "image",
                    models.OneToOneField(on_delete=CASCADE, related_name="mislabel", to="datasets.image"),
                ),
                ("proposed", models.ForeignKey(on_delete=CASCADE, related_name="+", to="datasets.label")),
            ],
            options={
                "verbose_name": "likely mislabel",
                "verbose_name_plural": "likely mislabels",
                "indexes": [
                    models.Index(fields=["dataset", "dismissed_at", "-score"], name="mislabel_queue")
                ],
            },
        ),
    ]
