import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from webapp.audit.append_only import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('readings', '0005_what_stays'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Thread',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('i', models.PositiveIntegerField(null=True)),
                ('j', models.PositiveIntegerField(null=True)),
                ('k', models.PositiveIntegerField(null=True)),
                ('label', models.PositiveSmallIntegerField(null=True)),
                ('opened_at', models.DateTimeField(auto_now_add=True)),
                ('reading', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='threads', to='readings.reading')),
            ],
        ),
        migrations.CreateModel(
            name='ThreadEntry',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('comment', 'comment'), ('edit', 'edit'), ('withdrawal', 'withdrawal'), ('resolved', 'resolved'), ('reopened', 'reopened')], max_length=12)),
                ('text', models.TextField(blank=True, default='')),
                ('mentions', models.JSONField(default=list)),
                ('said_at', models.DateTimeField(auto_now_add=True)),
                ('about', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='later', to='readings.threadentry')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('thread', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='readings.thread')),
            ],
            options={
                'ordering': ['thread', 'number'],
            },
        ),
        migrations.AddConstraint(
            model_name='thread',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('i__isnull', True), ('j__isnull', True), ('k__isnull', True)), models.Q(('i__isnull', False), ('j__isnull', False), ('k__isnull', False)), _connector='OR'), name='pinned_to_a_voxel_or_to_none'),
        ),
        migrations.AddConstraint(
            model_name='threadentry',
            constraint=models.UniqueConstraint(fields=('thread', 'number'), name='one_thread_entry_per_number'),
        ),
        migrations.AddConstraint(
            model_name='threadentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['comment', 'edit']), ('text', ''), _connector='XOR'), name='comments_have_a_text'),
        ),
        migrations.AddConstraint(
            model_name='threadentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['edit', 'withdrawal']), ('about', None), _connector='XOR'), name='edits_and_withdrawals_are_about_a_comment'),
        ),
        append_only("readings_thread", "readings_threadentry"),
    ]
