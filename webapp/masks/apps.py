from django.apps import AppConfig


class MasksConfig(AppConfig):
    name = "webapp.masks"
    label = "masks"
