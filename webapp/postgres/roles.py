"""The two roles of the database: the owner migrates, the site reads and writes rows and nothing else."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

OWNER_ROLE = "groundglass_owner"
SITE_ROLE = "groundglass_site"
DATABASE = "groundglass"


@dataclass(frozen=True)
class Role:
    """A login of the database and its password."""

    name: str
    password: str


def prepare(superuser_url: str, owner: Role, site: Role, database: str = DATABASE) -> None:
    """Make roles, database and default privileges where they are missing. Safe to run again."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:

        def run(statement: str) -> None:
            names = {"owner": owner.name, "site": site.name, "database": database}
            connection.execute(sql.SQL(statement).format(**{k: sql.Identifier(v) for k, v in names.items()}))

        for role in (owner, site):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.name]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role.name)))
            alter = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(alter.format(sql.Identifier(role.name), sql.Literal(role.password)))
        # The owner may step down to the site's role (tests of privileges do); it gains nothing by that.
        run("GRANT {site} TO {owner} WITH INHERIT FALSE, SET TRUE")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            run("CREATE DATABASE {database} OWNER {owner}")
        run("REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        run("GRANT CONNECT ON DATABASE {database} TO {site}")
    # template1 too: databases made later (the tests') then carry the same rule.
    for name in (database, "template1"):
        with psycopg.connect(superuser_url, dbname=name, autocommit=True) as connection:
            grant_site(connection, owner.name, site.name)


def prepare_from_urls(superuser_url: str, owner_url: str, site_url: str) -> None:
    """Make the roles that two database addresses name, and the database itself, on a PostgreSQL of your own."""
    owner, site = (urlsplit(url) for url in (owner_url, site_url))
    owner_role, site_role = (Role(unquote(url.username or ""), unquote(url.password or "")) for url in (owner, site))
    prepare(superuser_url, owner_role, site_role, unquote(site.path.lstrip("/")) or DATABASE)


def grant_site(connection: psycopg.Connection, owner: str, site: str) -> None:
    """Give `site` rows, sequences and functions of what `owner` creates from now on: no DDL, no TRUNCATE."""
    names = {"owner": sql.Identifier(owner), "site": sql.Identifier(site)}
    for statement in (
        "GRANT USAGE ON SCHEMA public TO {site}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {site}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {site}",
    ):
        connection.execute(sql.SQL(statement).format(**names))
