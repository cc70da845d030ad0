"""The sex stands with the scan: what one campaign kept of a patient must not show in another that removes it."""

import contextlib
import json

import zstandard
from django.db import migrations, models

PATIENT_SEX = "00100040"
LARGEST_BYTES = 512 * 1024 * 1024


def fill(apps, schema_editor):
    """Take each scan's sex from its own files' headers; where they are not indexed, from the patient if its age stayed.

    Age and sex are kept or removed together, so a scan without an age may be one whose campaign removed both.
    """
    Scan = apps.get_model("archive", "Scan")
    Series = apps.get_model("archive", "Series")
    for scan in Scan.objects.select_related("study__patient").only("study", "patient_age_years", "sex").iterator():
        known = scan.study.patient.sex
        series = Series.objects.filter(scan=scan, made_from=None).first()
        if series is not None:
            scan.sex = sex_in(bytes(series.headers))
        elif known and scan.patient_age_years is not None:
            scan.sex = known
        if scan.sex:
            scan.save(update_fields=["sex"])


def sex_in(headers):
    """What the first header of a series says; empty where it says nothing that is a sex."""
    with contextlib.suppress(ValueError, LookupError, AttributeError, zstandard.ZstdError):
        lines = zstandard.ZstdDecompressor().decompress(headers, LARGEST_BYTES)
        value = json.loads(lines.split(b"\n", 1)[0])[PATIENT_SEX]["Value"][0]
        return value if value in ("M", "F", "O") else ""
    return ""


def give_back(apps, schema_editor):
    """A patient's sex from whatever scan says one."""
    Scan = apps.get_model("archive", "Scan")
    for scan in Scan.objects.exclude(sex="").select_related("study__patient").only("study", "sex").iterator():
        patient = scan.study.patient
        patient.sex = scan.sex
        patient.save(update_fields=["sex"])


class Migration(migrations.Migration):
    dependencies = [("archive", "0007_came_as")]

    operations = [
        migrations.AddField("scan", "sex", models.CharField(blank=True, default="", max_length=1)),
        migrations.RunPython(fill, give_back),
        migrations.RemoveField("patient", "sex"),
    ]
