"""Labels that left the trash stay behind for the acts that remember them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0012_live"),
    ]

    operations = [
        migrations.AddField(
            model_name="label",
            name="purged_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="purged"),
        ),
    ]
