"""An import may wait for a person's choice; pictures that came under two labels; where pictures come from."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

CASCADE, SET_NULL = django.db.models.deletion.CASCADE, django.db.models.deletion.SET_NULL


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0009_grid_of_a_million"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="review",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Never: take everything in as it is called"),
                    ("auto", "When something is unclear"),
                    ("true", "Always"),
                ],
                default="",
                max_length=8,
                verbose_name="asks first",
            ),
            preserve_default=False,
        ),
        migrations.AddField("import", "plan", models.JSONField(blank=True, default=dict)),
        migrations.AddField("import", "choices", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            model_name="import",
            name="chosen_by",
            field=models.ForeignKey(
                null=True, on_delete=SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="choose_until",
            field=models.DateTimeField(
                blank=True, db_index=True, null=True, verbose_name="waits for a choice until"
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="source_note",
            field=models.CharField(
                blank=True, default="", max_length=300, verbose_name="where the pictures come from"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="import",
            name="licence",
            field=models.CharField(blank=True, default="", max_length=120, verbose_name="licence"),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="LabelConflict",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=500, verbose_name="file")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="found")),
                ("settled_at", models.DateTimeField(blank=True, null=True, verbose_name="settled")),
                (
                    "action",
                    models.ForeignKey(
                        null=True, on_delete=SET_NULL, related_name="+", to="datasets.tagaction"
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(on_delete=CASCADE, related_name="conflicts", to="datasets.dataset"),
                ),
                (
                    "image",
                    models.ForeignKey(on_delete=CASCADE, related_name="conflicts", to="datasets.image"),
                ),
                ("label", models.ForeignKey(on_delete=CASCADE, related_name="+", to="datasets.label")),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True, on_delete=SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True, on_delete=SET_NULL, related_name="conflicts", to="datasets.import"
                    ),
                ),
            ],
            options={
                "verbose_name": "conflict of labels",
                "verbose_name_plural": "conflicts of labels",
                "indexes": [models.Index(fields=["dataset", "settled_at", "id"], name="conflict_queue")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(settled_at=None),
                        fields=("image", "label"),
                        name="one_open_conflict",
                    )
                ],
            },
        ),
    ]
