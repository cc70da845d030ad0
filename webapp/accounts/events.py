"""Audit events of people."""

SIGNED_IN = "person.signed_in"
SIGN_IN_REFUSED = "person.sign_in_refused"
SIGNED_OUT = "person.signed_out"
PASSWORD_CHANGED = "person.password_changed"
PERSON_CREATED = "person.created"
PREFERENCES_KEPT = "person.preferences_kept"
