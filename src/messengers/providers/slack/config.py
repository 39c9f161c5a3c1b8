"""What a Slack app needs, and what its owner may choose."""

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from messengers.models import InstanceKind

__all__ = ["SlackConfig", "kind_of"]

_NONE = SecretStr("")


class SlackConfig(BaseModel):
    """An app's tokens and a few choices."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    token: SecretStr
    """Of OAuth & Permissions: the Bot User OAuth Token, xoxb-…, to be a bot; or your own User OAuth
    Token, xoxp-…, to read and write as yourself."""
    app_token: SecretStr = _NONE
    """Of Basic Information: an App-Level Token with `connections:write`, xapp-…; Slack delivers
    over a connection that goes out from here (Socket Mode). Each instance has an app of its own."""
    signing_secret: SecretStr = _NONE
    """In place of `app_token`, for an app whose Request URL leads to this machine (Events API): the
    Signing Secret of Basic Information. Needs `public_url`."""
    link_previews: bool = False
    """Show previews under links in messages. Off: Slack's servers fetch no page we name."""
    mass_mentions: bool = False
    """Let @channel, @here and @everyone in a text notify everybody there."""

    @field_validator("token")
    @classmethod
    def _is_token(cls, token: SecretStr) -> SecretStr:
        if not token.get_secret_value().startswith(("xoxb-", "xoxp-")):
            raise ValueError("it begins with xoxb- or xoxp- and stands under OAuth & Permissions")
        return token

    @field_validator("app_token")
    @classmethod
    def _is_app_token(cls, token: SecretStr) -> SecretStr:
        if token.get_secret_value() and not token.get_secret_value().startswith("xapp-"):
            raise ValueError("it begins with xapp- and stands under Basic Information")
        return token

    @model_validator(mode="after")
    def _hears(self) -> "SlackConfig":
        if bool(self.app_token.get_secret_value()) == bool(self.signing_secret.get_secret_value()):
            raise ValueError("give either app_token or signing_secret, by which Slack delivers")
        return self


def kind_of(config: BaseModel) -> InstanceKind:
    """Whose token it is: an app's own or a person's."""
    if not isinstance(config, SlackConfig):
        raise TypeError("slack takes a SlackConfig")
    return "personal" if config.token.get_secret_value().startswith("xoxp-") else "bot"
