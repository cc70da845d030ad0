"""Every URL of the site."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.campaigns.urls")),
    path("", include("webapp.readings.urls")),
    path("", include("webapp.intake.urls")),
    path("", include("webapp.releases.urls")),
    path("", include("webapp.pages.urls")),
]
