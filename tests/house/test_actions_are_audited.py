"""The actions files list what people can do; each of them writes its event, or says here why it writes none."""

import importlib
import inspect
import pkgutil

import pytest

import webapp
from webapp.audit.actor import Actor
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused, Refusal

# Functions of actions.py that are no user action: parts of one, run in its transaction, or heartbeats.
NO_ACTION = {
    "webapp.accounts.actions.check_password": "records each refusal itself, in a transaction that the refusal survives",
    "webapp.accounts.actions.check_token": "records each refusal itself; a use is noted on the token, not in the trail",
    "webapp.accounts.actions.sign_in": "checks the password, then begins the session, which is recorded",
    "webapp.algorithms.actions.actor_of_algorithm": "names an algorithm",
    "webapp.algorithms.actions.report_progress": "progress is shown, not recorded",
    "webapp.campaigns.actions.chain_of": "names a chain",
    "webapp.campaigns.invitation_actions.find_invitation": "records each refusal itself; a right link is not yet used",
    "webapp.notices.actions.mark_notices_seen": "what somebody has read of their own notices is theirs",
    "webapp.readings.actions.held_case": "locks a row",
    "webapp.readings.assignment_actions.idle_readings": "a question",
    "webapp.readings.assignment_actions.release_idle_readings": "releases one by one, each of which is recorded",
    "webapp.masks.actions.create_mask": "part of starting a reading or finishing a draft",
    "webapp.masks.actions.discard_working_states": "part of deleting a scan",
    "webapp.masks.actions.fork_mask": "part of starting a reading",
    "webapp.masks.actions.lease_is_live": "a question",
    "webapp.masks.actions.release_lease": "a heartbeat's end",
    "webapp.masks.actions.renew_lease": "a heartbeat",
}

# Actions that do some of their work outside of their transaction, each with its test of what a refusal leaves.
OWN_TRANSACTION = {"webapp.archive.actions.file_scan": "tests/webapp/archive/test_filing.py"}


def public_functions() -> dict[str, object]:
    found = {}
    for app in pkgutil.iter_modules(webapp.__path__):
        if not app.ispkg:
            continue
        package = importlib.import_module(f"webapp.{app.name}")
        for part in pkgutil.iter_modules(package.__path__):
            if part.name != "actions" and not part.name.endswith("_actions"):
                continue
            module = importlib.import_module(f"webapp.{app.name}.{part.name}")
            for name, function in inspect.getmembers(module, inspect.isfunction):
                if function.__module__ == module.__name__ and not name.startswith("_"):
                    found[f"{module.__name__}.{name}"] = function
    return found


def test_every_action_promises_an_event():
    silent = {n for n, f in public_functions().items() if not getattr(f, "audited_events", None)}
    assert silent - set(NO_ACTION) == set()


def test_every_exception_still_exists():
    assert set(NO_ACTION) - set(public_functions()) == set()


def test_actions_take_keywords_only():
    for name, function in public_functions().items():
        if name in NO_ACTION:
            continue
        kinds = {p.kind for p in inspect.signature(function).parameters.values()}
        assert kinds <= {inspect.Parameter.KEYWORD_ONLY}, name


@pytest.mark.django_db
def test_every_action_leaves_an_event_where_it_is_refused(monkeypatch):
    def refuse(**_: object) -> None:
        raise ActionRefused(Refusal("no", "A rule says no."))

    actions = {n: f for n, f in public_functions().items() if n not in NO_ACTION and n not in OWN_TRANSACTION}
    for name, action in actions.items():
        cells = dict(zip(action.__code__.co_freevars, action.__closure__, strict=True))
        refuse.__module__, refuse.__name__, refuse.__qualname__ = action.__module__, action.__name__, action.__name__
        monkeypatch.setattr(cells["action"], "cell_contents", refuse)
        with pytest.raises(ActionRefused):
            action(by=Actor("person", "", "Kim"))
        event = Event.objects.order_by("id").last()
        app = name.split(".")[1]
        assert event is not None
        assert event.name == "action.refused"
        assert event.content["details"]["action"] == f"{app}.{action.__name__}"
