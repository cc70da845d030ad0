import django.db.models.deletion
from django.db import migrations, models

from webapp.audit.append_only import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('readings', '0007_flags'),
    ]

    operations = [
        migrations.CreateModel(
            name='FormEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('form', models.CharField(max_length=40)),
                ('item', models.CharField(max_length=90)),
                ('value', models.JSONField(null=True)),
                ('said_at', models.DateTimeField(auto_now_add=True)),
                ('reading', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='form_entries', to='readings.reading')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        append_only("readings_formentry"),
    ]
