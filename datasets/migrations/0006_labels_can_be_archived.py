"""Labels get a key, a description, examples and an archive; what was `archived_at` is called `removed_at`."""

import django.db.models.deletion
from django.db import migrations, models

SHOWN = (
    "#3b7ddd", "#d9822b", "#3a9d5d", "#c94f6d", "#7f63c8", "#8d7448",
    "#21959b", "#b3a125", "#c557ad", "#6c8a2f", "#5a6bb8", "#b4553b",
)  # fmt: skip


def keep_the_colours_that_were_shown(apps, schema_editor):
    """Pages went by the place of a label, whatever its row said."""
    labels = apps.get_model("datasets", "Label").objects
    for place, colour in enumerate(SHOWN):
        labels.annotate(place=models.F("position") % len(SHOWN)).filter(place=place).update(colour=colour)


class Migration(migrations.Migration):
    dependencies = [("datasets", "0005_split_wishes")]

    operations = [
        migrations.RemoveConstraint(model_name="label", name="label_names_differ"),
        migrations.RenameField(model_name="label", old_name="archived_at", new_name="removed_at"),
        migrations.AddConstraint(
            model_name="label",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at", None)),
                fields=("dataset", "name"),
                name="label_names_differ",
            ),
        ),
        migrations.AddField(
            model_name="label",
            name="archived_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="archived"),
        ),
        migrations.AddField(
            model_name="label",
            name="chosen_key",
            field=models.CharField(blank=True, default="", max_length=1, verbose_name="key"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="label",
            name="description",
            field=models.TextField(blank=True, default="", max_length=1000, verbose_name="description"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="label",
            name="examples",
            field=models.ManyToManyField(blank=True, related_name="+", to="datasets.image"),
        ),
        migrations.AddField(
            model_name="label",
            name="removal",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="datasets.tagaction",
            ),
        ),
        migrations.AlterField(
            model_name="label",
            name="colour",
            field=models.CharField(blank=True, max_length=7, verbose_name="colour"),
        ),
        migrations.RunPython(keep_the_colours_that_were_shown, migrations.RunPython.noop, elidable=True),
    ]
