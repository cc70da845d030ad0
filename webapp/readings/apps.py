from django.apps import AppConfig


class ReadingsConfig(AppConfig):
    name = "webapp.readings"
    label = "readings"
