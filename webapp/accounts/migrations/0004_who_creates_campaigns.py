from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_access_tokens")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="may_create_campaigns",
            field=models.BooleanField(default=False),
        ),
    ]
