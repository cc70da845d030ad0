from django.apps import AppConfig


class ReadingsConfig(AppConfig):
    name = "webapp.readings"
    label = "readings"

    def ready(self) -> None:
        from webapp import push
        from webapp.campaigns.queries import may_hear_campaign, may_hear_scan
        from webapp.readings.drafts import may_hear_draft, may_hear_queue
        from webapp.readings.queries import may_hear_progress, may_hear_reading

        push.register_topic("reading", may_hear_reading)
        push.register_topic("scan", may_hear_scan)
        push.register_topic("draft", may_hear_draft)
        push.register_topic("queue", may_hear_queue)
        push.register_topic("campaign", may_hear_campaign)
        push.register_topic("progress", may_hear_progress)
        push.register_topic("person", lambda user, identifier: str(user.pk) == identifier)
