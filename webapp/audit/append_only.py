"""Migration operations that make a table append-only, for the site's role and by trigger for every other."""

import os

from django.db import migrations

SITE_ROLE = os.environ.get("SITE_DATABASE_ROLE", "groundglass_site")

REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION groundglass_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
"""


def revoke_from_site(privileges: str, table: str) -> str:
    """SQL that takes `privileges` on `table` from the site's role, where this server has that role."""
    return f"""
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{SITE_ROLE}') THEN
    REVOKE {privileges} ON {table} FROM "{SITE_ROLE}";
  END IF;
END $$;
"""


def append_only(*tables: str) -> migrations.RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE of `tables`: privilege for the site's role, triggers for all."""
    sql = REFUSE_CHANGE
    for table in tables:
        sql += revoke_from_site("UPDATE, DELETE, TRUNCATE", table)
        sql += f"""
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION groundglass_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION groundglass_refuse_change();
"""
    return migrations.RunSQL(sql, migrations.RunSQL.noop)
