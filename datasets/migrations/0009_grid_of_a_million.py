"""What the bench needs for a million pictures: an index for each way through the grid, tallies, skipped, look-alikes."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

LIVE = Q(trashed_at__isnull=True)
OPEN = LIVE & Q(label__isnull=True, skipped_at__isnull=True)
SKIPPED = LIVE & Q(label__isnull=True, skipped_at__isnull=False)
ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
INDEXES = [
    models.Index(fields=["dataset", "id"], condition=LIVE, name="image_live"),
    models.Index(fields=["dataset", "id"], condition=OPEN, name="image_open"),
    models.Index(fields=["dataset", "id"], condition=SKIPPED, name="image_skipped"),
    models.Index(fields=["dataset", "id"], condition=Q(trashed_at__isnull=False), name="image_trash"),
    models.Index(fields=["dataset", "label", "id"], condition=LIVE, name="image_of_label"),
    models.Index(fields=["source", "id"], condition=LIVE, name="image_of_source"),
    models.Index(fields=["dataset", "name", "id"], condition=LIVE, name="image_by_name"),
    models.Index(fields=["dataset", "bytes", "id"], condition=LIVE, name="image_by_bytes"),
    models.Index(fields=["dataset", "width", "id"], condition=LIVE, name="image_by_width"),
    models.Index(fields=["dataset", "height", "id"], condition=LIVE, name="image_by_height"),
    models.Index(fields=["dataset", "cluster", "id"], condition=LIVE, name="image_by_cluster"),
]


class Migration(migrations.Migration):
    dependencies = [("datasets", "0008_mislabels")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", ID),
                ("dataset_id", models.BigIntegerField()),
                ("shelf", models.BigIntegerField()),
                ("n", models.BigIntegerField()),
            ],
            options={"indexes": [models.Index(fields=["dataset_id", "shelf"], name="tally_of_data_set")]},
        ),
        migrations.CreateModel(
            name="Likeness",
            fields=[
                ("id", ID),
                ("extractor", models.CharField(max_length=120)),
                ("key", models.CharField(max_length=120)),
                ("images", models.PositiveIntegerField(verbose_name="pictures")),
                ("learnt_from", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField(auto_now=True, verbose_name="made")),
                (
                    "dataset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="likeness",
                        to="datasets.dataset",
                    ),
                ),
            ],
            options={"verbose_name": "likeness", "verbose_name_plural": "likenesses"},
        ),
        migrations.AddField(
            model_name="suggestion",
            name="margin",
            field=models.FloatField(default=0, verbose_name="lead over the next label"),
        ),
        migrations.AddIndex(
            model_name="suggestion",
            index=models.Index(fields=["dataset", "margin", "image"], name="suggestion_by_margin"),
        ),
        migrations.AlterField(
            model_name="tagaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("tag", "Tagged"),
                    ("trash", "Moved to the trash"),
                    ("restore", "Taken out of the trash"),
                    ("accept", "Suggestions accepted"),
                    ("skip", "Marked as not sure"),
                    ("unskip", "No longer marked as not sure"),
                ],
                default="tag",
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="tagchange", name="skipped_before", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="image",
            name="skipped_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="marked as not sure"),
        ),
        migrations.AddField(
            model_name="image", name="cluster", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.RemoveIndex(model_name="image", name="image_grid"),
        *[migrations.AddIndex(model_name="image", index=index) for index in INDEXES],
    ]
