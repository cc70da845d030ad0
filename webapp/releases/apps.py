from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    name = "webapp.releases"
    label = "releases"
