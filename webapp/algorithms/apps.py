from django.apps import AppConfig


class AlgorithmsConfig(AppConfig):
    name = "webapp.algorithms"
    label = "algorithms"

    def ready(self) -> None:
        from webapp.algorithms.queries import stored_files
        from webapp.archive.upkeep import register_files

        register_files(stored_files)
