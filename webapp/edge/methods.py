"""One address whose methods are answered by different apps, which may not know each other."""

from collections.abc import Callable

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

View = Callable[..., HttpResponseBase]


def by_method(**views: View) -> View:
    """A view that hands a request on by its method: `by_method(GET=search, POST=store)`; HEAD goes with GET.

    Each view asks for rights and for CSRF itself, so they must all be `open_to_programs` (webapp.accounts). Other
    methods get 405.
    """

    @csrf_exempt
    def hand_on(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        view = views.get("GET" if request.method == "HEAD" else request.method or "")
        if view is not None:
            return view(request, *args, **kwargs)
        answer = JsonResponse({"error": "method", "sentence": "This address does not take that method."}, status=405)
        answer["Allow"] = ", ".join(sorted({*views, "HEAD"} if "GET" in views else views))
        return answer

    return hand_on
