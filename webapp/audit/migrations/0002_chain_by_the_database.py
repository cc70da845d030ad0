"""The database itself chains events: place, time and hash are never the site's to choose."""

from django.db import migrations

from webapp.audit.append_only import append_only, revoke_from_site

CHAIN = """
CREATE FUNCTION audit_chain_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE head audit_chainhead%ROWTYPE;
BEGIN
  INSERT INTO audit_chainhead (chain, seq, hash) VALUES (NEW.chain, 0, repeat('0', 64))
    ON CONFLICT (chain) DO NOTHING;
  SELECT * INTO head FROM audit_chainhead WHERE chain = NEW.chain FOR UPDATE;
  NEW.seq := head.seq + 1;
  NEW.at := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
  NEW.prev_hash := head.hash;
  NEW.hash := encode(sha256(convert_to(
    NEW.prev_hash || E'\\n' || NEW.chain || E'\\n' || NEW.seq || E'\\n' || NEW.at || E'\\n' || NEW.body, 'UTF8')), 'hex');
  UPDATE audit_chainhead SET seq = NEW.seq, hash = NEW.hash WHERE chain = NEW.chain;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_event_chain BEFORE INSERT ON audit_event
  FOR EACH ROW EXECUTE FUNCTION audit_chain_event();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_chained_events")]
    operations = [
        migrations.RunSQL(CHAIN, migrations.RunSQL.noop),
        append_only("audit_event"),
        migrations.RunSQL(
            revoke_from_site("INSERT, UPDATE, DELETE, TRUNCATE", "audit_chainhead"), migrations.RunSQL.noop
        ),
    ]
