"""The database by hand: `python -m webapp.postgres VERB`.

start, stop, status   the embedded server of GROUNDGLASS_HOME
roles                 on a PostgreSQL of your own (DATABASE_SUPERUSER_URL), make the database and the two roles that
                      DATABASE_OWNER_URL and DATABASE_URL name
"""

import os
import sys
from pathlib import Path

from webapp import postgres
from webapp.postgres import roles


def main() -> int:
    """Run one verb; exit status 1 when the server is down or would not start."""
    default = Path(__file__).resolve().parents[2] / "var"
    home = Path(os.environ.get("GROUNDGLASS_HOME", default)).resolve()
    verb = sys.argv[1] if len(sys.argv) == 2 else ""
    if verb == "start":
        try:
            server = postgres.ensure(home)
        except postgres.ServerFailed as failure:
            print(failure, file=sys.stderr)
            return 1
        print(f"PostgreSQL runs (pid {server.pid}, port {server.port}, data {server.data})")
    elif verb == "stop":
        postgres.stop(home)
    elif verb == "status":
        pid = postgres.running_pid(home)
        print(f"PostgreSQL runs (pid {pid})" if pid else "PostgreSQL does not run")
        return 0 if pid else 1
    elif verb == "roles":
        names = ("DATABASE_SUPERUSER_URL", "DATABASE_OWNER_URL", "DATABASE_URL")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            print(f"Set {', '.join(missing)} first.", file=sys.stderr)
            return 2
        roles.prepare_from_urls(*(os.environ[name] for name in names))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
