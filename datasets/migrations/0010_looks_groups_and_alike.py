from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('datasets', '0009_grid_of_a_million'),
    ]

    operations = [
        migrations.AddField(
            model_name='image',
            name='group',
            field=models.CharField(blank=True, max_length=40, verbose_name='group'),
        ),
        migrations.AddField(
            model_name='image',
            name='brightness',
            field=models.PositiveSmallIntegerField(null=True, verbose_name='brightness'),
        ),
        migrations.AddField(
            model_name='image',
            name='sharpness',
            field=models.PositiveSmallIntegerField(null=True, verbose_name='sharpness'),
        ),
        migrations.AddField(
            model_name='import',
            name='group',
            field=models.CharField(blank=True, max_length=40, verbose_name='group'),
        ),
        migrations.CreateModel(
            name='AlikeSearch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('searched_at', models.DateTimeField(auto_now=True, verbose_name='searched')),
                ('images', models.PositiveIntegerField(default=0, verbose_name='images')),
                ('extractor', models.CharField(blank=True, max_length=120)),
                ('dataset', models.OneToOneField(on_delete=models.CASCADE, related_name='alike_search', to='datasets.dataset')),
            ],
            options={
                'verbose_name': 'search for near-duplicates',
                'verbose_name_plural': 'searches for near-duplicates',
            },
        ),
        migrations.CreateModel(
            name='AlikeGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('found_at', models.DateTimeField(auto_now_add=True, verbose_name='found')),
                ('dismissed_at', models.DateTimeField(blank=True, null=True, verbose_name='dismissed')),
                ('dataset', models.ForeignKey(on_delete=models.CASCADE, related_name='alike_groups', to='datasets.dataset')),
                ('dismissed_by', models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'group of near-duplicates',
                'verbose_name_plural': 'groups of near-duplicates',
                'indexes': [models.Index(fields=['dataset', 'dismissed_at'], name='alike_group_open')],
            },
        ),
        migrations.CreateModel(
            name='AlikeMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.ForeignKey(on_delete=models.CASCADE, related_name='members', to='datasets.alikegroup')),
                ('image', models.ForeignKey(on_delete=models.CASCADE, related_name='alike', to='datasets.image')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('group', 'image'), name='once_a_group')],
            },
        ),
    ]
