"""What people may do with access tokens, and whether one still opens the door: None, or the refusal's sentence."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from webapp.accounts.models import AccessToken, User
from webapp.audit.actor import Actor
from webapp.audit.refusal import Refusal

MOST_TOKENS = 50
LIFETIMES_DAYS = (7, 30, 90, 180, 365)

UNKNOWN_TOKEN = Refusal("wrong_token", "This access token is not known here. Make one on your profile page.")
REVOKED_TOKEN = Refusal("revoked_token", "This access token was revoked. Make another on your profile page.")
EXPIRED_TOKEN = Refusal("expired_token", "This access token has expired. Make another on your profile page.")
CLOSED_ACCOUNT = Refusal("closed_account", "The account of this access token is closed.")


def may_manage_people(by: User | Actor) -> Refusal | None:
    """Administrators make accounts and say who makes campaigns; the system itself may too."""
    allowed = by.kind == "system" if isinstance(by, Actor) else by.is_superuser
    return None if allowed else Refusal("not_administrator", "Only an administrator may do this.")


def refusal_of_person(username: str, display_name: str, password: str, experience_years: int | None) -> Refusal | None:
    """Why an account cannot be made so."""
    if not display_name.strip() or not display_name.isprintable() or len(display_name) > 120:
        return Refusal("malformed", "A person needs a name of 1 to 120 letters, as colleagues know them.")
    try:
        User.username_validator(username)
    except ValidationError:
        username = ""
    if not username or len(username) > 150:
        return Refusal("malformed", "A user name has letters, digits and @ . + - _ only, 150 at most.")
    if User.objects.filter(username__iexact=username).exists():
        return Refusal("exists", f"Somebody signs in as {username} already: choose another user name.")
    if experience_years is not None and not 0 <= experience_years <= 80:
        return Refusal("malformed", "Experience is 0 to 80 years.")
    return refusal_of_password(password, User(username=username, display_name=display_name))


def refusal_of_password(password: str, user: User) -> Refusal | None:
    """Why a password is none for a person."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return Refusal("weak_password", " ".join(error.messages))
    return None


def may_close_account(user: User, by: User | Actor) -> Refusal | None:
    """Administrators close and reopen accounts, never their own: so one of them is always left."""
    if isinstance(by, User) and by.pk == user.pk:
        return Refusal("own_account", "Nobody closes their own account: another administrator does.")
    return may_manage_people(by)


def may_create_token(user: User, name: str, days: int) -> Refusal | None:
    """Whether a person may have one more token, of this name, for so many days."""
    if not name or not name.isprintable() or len(name) > 60:
        return Refusal("token_name", "Give the token a name of 1 to 60 letters, for instance the program that uses it.")
    if days not in LIFETIMES_DAYS:
        return Refusal("token_lifetime", f"A token lives {', '.join(map(str, LIFETIMES_DAYS))} days.")
    kept = AccessToken.objects.filter(user=user, revoked_at__isnull=True)
    if kept.filter(name=name).exists():
        return Refusal("token_exists", f"You have a token called {name}: revoke it first, or choose another name.")
    if kept.count() >= MOST_TOKENS:
        return Refusal("too_many_tokens", f"You have {MOST_TOKENS} tokens: revoke those that nothing uses.")
    return None


def may_use_token(token: AccessToken | None, now: datetime) -> Refusal | None:
    """Whether a token still opens the door; None for `token` is one that nobody has."""
    if token is None:
        return UNKNOWN_TOKEN
    if token.revoked_at is not None:
        return REVOKED_TOKEN
    if token.expires_at <= now:
        return EXPIRED_TOKEN
    return None if token.user.is_active else CLOSED_ACCOUNT
