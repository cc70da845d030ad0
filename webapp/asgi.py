"""ASGI entry point: files to their own handler, pages and API to Django, the socket at /push/ to its consumer."""

import gc
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.web")
django.setup(set_prefix=False)  # fills the app registry: what follows needs it

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import get_resolver, path  # noqa: E402

from webapp.edge.live_bodies import LiveBodies  # noqa: E402
from webapp.edge.static_files import StaticFiles  # noqa: E402
from webapp.intake.streams import is_streamed  # noqa: E402
from webapp.push.consumer import PushConsumer  # noqa: E402

sockets = URLRouter([path("push/", PushConsumer.as_asgi())])
application = ProtocolTypeRouter(
    {
        "http": StaticFiles(otherwise=LiveBodies(is_streamed)),
        # The browser names the page that opens a socket: only our own hosts may, whatever cookies come along.
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets)),
    }
)

# Every page's code is here before the first request. None of it is ever garbage: to look through it again and again,
# as the interpreter does, holds up one request in sixty by an eighth of a second.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
