"""Pictures out of storage, named by their content: whoever may have one keeps it for good."""

from collections.abc import Callable

from django.http import HttpResponse

from webapp.archive.storage import DamagedFile

# The right is asked for on each request that reaches the server all the same.
FOR_EVER = "private, max-age=31536000, immutable"


def stored_picture(read: Callable[[], bytes], content_type: str) -> HttpResponse:
    """A picture that `read` gives, or in words why there is none; asked for only after its right was."""
    try:
        response = HttpResponse(read(), content_type=content_type)
    except DamagedFile:
        return HttpResponse("The picture is damaged in storage. Tell an administrator: archive verify.", status=500)
    except OSError:
        return HttpResponse("The storage of pictures does not answer.", status=503, headers={"Retry-After": "5"})
    response["Cache-Control"] = FOR_EVER
    return response
