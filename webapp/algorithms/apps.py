from django.apps import AppConfig


class AlgorithmsConfig(AppConfig):
    name = "webapp.algorithms"
    label = "algorithms"
