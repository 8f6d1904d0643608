"""Who moved a data set to the trash, what purging leaves to be done, and what snapshots lost to a release."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0006_labels_can_be_archived"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FreedFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120, unique=True)),
                ("freed_at", models.DateTimeField(auto_now_add=True, verbose_name="freed")),
            ],
            options={"verbose_name": "freed file", "verbose_name_plural": "freed files"},
        ),
        migrations.AddField(
            model_name="dataset",
            name="trashed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="snapshot",
            name="released",
            field=models.PositiveIntegerField(default=0, verbose_name="pictures released"),
        ),
    ]
