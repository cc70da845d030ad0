"""The house stands: verbs have help, migrations are written, contracts hold, containers run what exists."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command, get_commands

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
VERBS = ("setup", "run", "test", "test-full", "lint", "types", "bench", "docs")
# Names that every machine or container image knows; everything else is ours to document.
FOREIGN = {"POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_import_contracts_hold():
    done = subprocess.run([BIN / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_make_alone_lists_every_verb_with_a_line_of_help():
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    helped = dict(re.findall(r"^  make (\S+) +(\S.*)$", done.stdout, re.MULTILINE))
    assert set(VERBS) <= set(helped)


@pytest.mark.django_db
def test_no_migration_is_forgotten():
    call_command("makemigrations", "--check", "--dry-run")


def test_nothing_names_a_registry_or_a_machine():
    words = ["pypi" + r"\.org", "registry" + r"\.npmjs", "files" + r"\.pythonhosted", "index" + "-url", "/wo" + "rk/"]
    forbidden = re.compile("|".join([*words, r"/ro" + r"ot/(?!\()", "/ho" + "me/[a-z]+/"]))
    found = []
    for path in tracked_files():
        if path.suffix in (".png", ".gz", ".woff2", ".npz", ".dcm"):
            continue
        text = path.read_text(errors="replace")
        if path.name == "package-lock.json":
            # npm writes where a package came from; it goes to the configured registry whatever stands there.
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in forbidden.finditer(text)]
    assert found == []


def test_compose_file_follows_its_schema():
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_runs_commands_and_settings_that_exist():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    settings = (ROOT / "docs" / "reference" / "settings.md").read_text()
    for name, service in services.items():
        for variable in set(service.get("environment", {})) - FOREIGN:
            assert f"`{variable}`" in settings, f"{name}: {variable}"
        words = " ".join(map(str, service.get("command", [])))
        for command in re.findall(r"manage\.py (\w+)", words):
            assert command in get_commands(), f"{name}: {command}"
        for module in re.findall(r"-m ([\w.]+)", words):
            found = subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, capture_output=True)
            assert found.returncode == 0, f"{name}: {module}"
    for folder in ("requirements/runtime.txt", "frontend/package-lock.json"):
        assert folder in (ROOT / "Dockerfile").read_text()
        assert (ROOT / folder).is_file()


def test_every_requirement_is_pinned_exactly():
    for path in (ROOT / "requirements").glob("*.txt"):
        for line in path.read_text().splitlines():
            assert re.fullmatch(r"[A-Za-z0-9_.\[\]-]+==[A-Za-z0-9.+]+|-r \w+\.txt|#.*|", line), f"{path.name}: {line}"


def test_continuous_integration_runs_make_test():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text()
