from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "webapp.intake"
    label = "intake"

    def ready(self) -> None:
        from webapp import push
        from webapp.intake.queries import may_hear_batch, may_hear_intake

        push.register_topic("batch", may_hear_batch)
        push.register_topic("intake", may_hear_intake)
