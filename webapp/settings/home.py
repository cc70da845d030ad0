"""What an installation keeps in its data folder: its secrets and the address of its own PostgreSQL."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


def installation_secret(home: Path, name: str) -> str:
    """Return the secret called `name` of this installation, made on first use (file mode 0600).

    Environment `GROUNDGLASS_SECRET_<NAME>` wins, so that several hosts share one installation.
    """
    given = os.environ.get(f"GROUNDGLASS_SECRET_{name.upper()}")
    if given:
        return given
    path = home / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{name}.{os.getpid()}")
        temporary.write_text(secrets.token_hex(32))
        temporary.chmod(0o600)
        try:
            os.link(temporary, path)  # fails where another process was first: its secret stands
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text().strip()


def database_settings(home: Path) -> dict[str, Any]:
    """Return Django's database settings from DATABASE_URL, or from the embedded server's own address file.

    The site runs in the lesser role (`site_url`); migrations run in the owner role
    (`GROUNDGLASS_DATABASE_ROLE=owner`, `owner_url`).
    """
    role = os.environ.get("GROUNDGLASS_DATABASE_ROLE", "site")
    if role == "owner" and os.environ.get("DATABASE_OWNER_URL"):
        url = os.environ["DATABASE_OWNER_URL"]
    elif os.environ.get("DATABASE_URL"):
        url = os.environ["DATABASE_URL"]
    else:
        path = home / "postgres" / f"{role}.url"
        url = path.read_text().strip() if path.exists() else "postgresql://groundglass@127.0.0.1:1/groundglass"
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "groundglass",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
