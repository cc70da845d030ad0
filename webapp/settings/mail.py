"""Mail of the site from one address: smtp://user:password@host:port, smtps://..., console:, or none."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SMTP, CONSOLE, OFF = (f"django.core.mail.backends.{name}.EmailBackend" for name in ("smtp", "console", "dummy"))
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


@dataclass(frozen=True)
class Mail:
    """How the site sends mail; the backend OFF sends none."""

    backend: str = OFF
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def mail_settings(url: str) -> Mail:
    """Read the address of the mail server; ValueError for one that says nothing.

    smtp:// asks for TLS after the greeting (STARTTLS), smtps:// begins with it; smtp+plain:// does without, for a
    relay on the same machine.
    """
    if not url:
        return Mail()
    parts = urlsplit(url)
    if parts.scheme == "console":
        return Mail(backend=CONSOLE)
    if parts.scheme not in PORTS or not parts.hostname:
        # The address holds a password: it is not said again.
        raise ValueError("GROUNDGLASS_EMAIL_URL is smtp://user:password@host:port, smtps://, smtp+plain:// or console:")
    return Mail(
        backend=SMTP,
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp",
        tls=parts.scheme == "smtps",
    )
