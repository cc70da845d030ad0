"""URLs of signing in from the viewer; the pages to sign in are in webapp.pages."""

from django.urls import path

from webapp.accounts import api

urlpatterns = [
    path("api/sign-in/", api.sign_in_again, name="api-sign-in"),
    path("api/preferences/viewer/", api.viewer_preferences, name="api-viewer-preferences"),
]
