"""A project says from which role on its data may be exported."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_invitations_and_failed_tries")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="exports_from",
            field=models.PositiveSmallIntegerField(
                choices=[(10, "Viewer"), (20, "Labeller"), (30, "Engineer"), (40, "Owner")],
                default=30,
                verbose_name="who may export data",
            ),
        )
    ]
