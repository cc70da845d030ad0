"""The client and the API's schema are held together: paths, verbs, bodies and types."""

import inspect
import re
import typing
from collections.abc import Iterator

import pytest

import webapp.client.types as types
from tests.factories.sites import a_person
from webapp.client import Groundglass

pytestmark = pytest.mark.django_db

# How the client's types are called in the schema.
COMPONENTS = {
    "Campaign": "CampaignData",
    "Protocol": "ProtocolData",
    "Member": "MemberData",
    "Holder": "HolderData",
    "Case": "CaseData",
    "Signed": "SignedData",
    "ReadingLine": "ReadingLineData",
    "IntraReaderPair": "IntraReaderPairData",
    "Invitation": "InvitationData",
    "Moved": "MovedData",
    "Added": "AddedData",
    "Draft": "DraftData",
    "LeftOut": "LeftOutData",
    "AskedDrafts": "AskedData",
}


# Bytes, not JSON: no operation of the schema.
BYTES = {"mask"}


@pytest.fixture
def schema(client):
    client.force_login(a_person("robin"))
    return client.get("/api/schema/?format=json").json()


class Recorder:
    """Stands where the transport stands, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict]] = []

    def get(self, path, query=None):
        self.asked.append(("get", path, query or {}))
        return Answer()

    def get_bytes(self, path):
        return self.get(path)

    def post(self, path, said):
        self.asked.append(("post", path, said))
        return Answer()


class Answer(dict):
    """An answer in which everything is there."""

    def __missing__(self, key):
        return {"results": [], "next": None}.get(key, 0)


def example(parameter: inspect.Parameter):
    """Something to say for a parameter."""
    if parameter.annotation in ("int", "int | None", int, int | None):
        return 1
    text = str(parameter.annotation)
    if "Sequence[int]" in text:
        return [1]
    if "Sequence[str]" in text:
        return ["robin"]
    if "list[" in text or "dict[" in text:
        return {}
    return "x"


def requests_of_the_client() -> dict[str, tuple[str, str, dict]]:
    """What each method that gets JSON asks for, everything said that can be."""
    found = {}
    for name, method in inspect.getmembers(Groundglass, inspect.isfunction):
        if name.startswith("_") or name in BYTES:
            continue
        client = Groundglass("http://site.example", "gg_x")
        recorder = client._site = Recorder()
        parameters = list(inspect.signature(method).parameters.values())[1:]
        said = {one.name: example(one) for one in parameters}
        answer = method(client, **said)
        if isinstance(answer, Iterator):
            list(answer)
        (found[name],) = recorder.asked
    return found


def operation(schema: dict, verb: str, path: str) -> tuple[str, dict] | None:
    """The schema's path and operation for a request: of those that fit, the one with the fewest unknowns."""
    fits = [
        (pattern, verbs[verb])
        for pattern, verbs in schema["paths"].items()
        if verb in verbs and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", pattern), path)
    ]
    return min(fits, key=lambda one: one[0].count("{"), default=None)


def test_every_request_of_the_client_stands_in_the_schema(schema):
    for name, (verb, path, said) in requests_of_the_client().items():
        found = operation(schema, verb, path)
        assert found, f"{name}: {verb} {path} is not in the schema"
        pattern, what = found
        if verb == "get":
            known = {one["name"] for one in what.get("parameters", []) if one["in"] == "query"}
            assert set(said) <= known, f"{name}: {pattern} is not asked for {set(said) - known}"
        elif said:
            content = what["requestBody"]["content"]["application/json"]["schema"]
            fields = schema["components"]["schemas"][content["$ref"].rsplit("/", 1)[-1]]["properties"]
            assert set(said) <= set(fields), f"{name}: {pattern} has no field {set(said) - set(fields)}"


def test_everything_of_campaigns_has_a_method(schema):
    known = {operation(schema, verb, path)[0] + verb for verb, path, _ in requests_of_the_client().values()}
    wanted = {
        pattern + verb
        for pattern, verbs in schema["paths"].items()
        for verb in verbs
        if pattern.startswith("/api/campaigns/") and verb in ("get", "post")
    }
    assert wanted - known == set()


@pytest.mark.parametrize("name", COMPONENTS)
def test_types_are_the_schemas(schema, name):
    properties = schema["components"]["schemas"][COMPONENTS[name]]["properties"]
    given = {field for field, said in properties.items() if not said.get("writeOnly")}
    kinds = typing.get_type_hints(getattr(types, name))
    assert set(kinds) == given
    for field, kind in kinds.items():
        may_be_none = type(None) in typing.get_args(kind)
        assert may_be_none == bool(properties[field].get("nullable")), field


def test_every_type_is_held():
    ours = {name for name, kind in vars(types).items() if typing.is_typeddict(kind)}
    assert ours == set(COMPONENTS)
