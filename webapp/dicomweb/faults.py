"""What a DICOMweb request can be told instead of an answer: a status, a code for programs, a sentence for people."""

from django.http import JsonResponse


class Fault(Exception):
    """A request that is not answered."""

    status, code = 400, "bad_request"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def answer(self) -> JsonResponse:
        """The fault as JSON."""
        return JsonResponse({"error": self.code, "sentence": self.sentence}, status=self.status)


class BadRequest(Fault):
    """The address or a parameter is malformed, or asks for what this server does not do."""


class NotFound(Fault):
    """There is no such thing, or none that this person may know of."""

    status, code = 404, "not_found"


class Hidden(Fault):
    """What is asked for would say what the campaign hides from this person."""

    status, code = 403, "hidden"


class NotAcceptable(Fault):
    """The thing is there, but in none of the forms that the client accepts."""

    status, code = 406, "not_acceptable"


class TooBroad(Fault):
    """The search would open too much to answer."""

    status, code = 413, "too_broad"


class Damaged(Fault):
    """A stored file is missing or is not what was filed."""

    status, code = 500, "damaged"
