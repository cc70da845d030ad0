import django.db.models.deletion
from django.db import migrations, models

from webapp.audit.append_only import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('readings', '0006_comments'),
    ]

    operations = [
        migrations.CreateModel(
            name='Flag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('raised', models.BooleanField()),
                ('remark', models.CharField(blank=True, default='', max_length=500)),
                ('said_at', models.DateTimeField(auto_now_add=True)),
                ('reading', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='flags', to='readings.reading')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='FlagDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('excluded', models.BooleanField()),
                ('reason', models.CharField(max_length=500)),
                ('decided_by_name', models.CharField(max_length=120)),
                ('decided_at', models.DateTimeField(auto_now_add=True)),
                ('flag', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='decision', to='readings.flag')),
            ],
        ),
        append_only("readings_flag", "readings_flagdecision"),
    ]
