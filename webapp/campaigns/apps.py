from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "webapp.campaigns"
    label = "campaigns"

    def ready(self) -> None:
        from webapp.audit.actor import register_roles
        from webapp.audit.refused import register_chain_of
        from webapp.campaigns.chains import chain_of_row, roles_in_chain

        register_roles(roles_in_chain)
        register_chain_of(chain_of_row)
