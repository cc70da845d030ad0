"""The two roles of the database: the owner migrates, the site reads and writes rows and nothing else."""

import psycopg
from psycopg import sql

OWNER_ROLE = "groundglass_owner"
SITE_ROLE = "groundglass_site"
DATABASE = "groundglass"


def prepare(superuser_url: str, owner_password: str, site_password: str) -> None:
    """Make roles, database and default privileges where they are missing. Safe to run again."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role, password in ((OWNER_ROLE, owner_password), (SITE_ROLE, site_password)):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            alter = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(alter.format(sql.Identifier(role), sql.Literal(password)))
        # The owner may step down to the site's role (tests of privileges do); it gains nothing by that.
        connection.execute(f"GRANT {SITE_ROLE} TO {OWNER_ROLE} WITH INHERIT FALSE, SET TRUE")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")
        connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {SITE_ROLE}")
    # template1 too: databases made later (the tests') then carry the same rule.
    for database in (DATABASE, "template1"):
        with psycopg.connect(superuser_url, dbname=database, autocommit=True) as connection:
            grant_site(connection, OWNER_ROLE, SITE_ROLE)


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
