"""Where people reach this daemon: known only once it listens, needed in links everywhere."""

from messengers.settings import LOOPBACK_NAMES, Settings

__all__ = ["Address"]


class Address:
    """Links to our own pages."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._port = settings.port

    def listens(self, port: int) -> None:
        """The port that was bound in the end."""
        self._port = port

    @property
    def port(self) -> int:
        """The port that HTTP is served on."""
        return self._port

    @property
    def local(self) -> str:
        """The base URL on this machine."""
        host = self._settings.host
        if host not in LOOPBACK_NAMES and not host.startswith("127."):
            host = "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"

    def chat_page(self, name: str) -> str:
        """The chat page of an instance that hosts visitors."""
        return f"{self._settings.public_url.rstrip('/') or self.local}/chat/{name}"

    def form(self, token: str) -> str:
        """A credential form: on this machine only, whatever stands in front."""
        return f"{self.local}/forms/{token}"

    def login(self, token: str) -> str:
        """A login page: on this machine only, as a form is."""
        return f"{self.local}/login/{token}"

    def approval(self, approval: str) -> str:
        """Where the owner decides about one: on this machine, after he logged in there."""
        return f"{self.local}/approvals/{approval}"

    def page_login(self, token: str) -> str:
        """Where the owner logs in to decide: on this machine only."""
        return f"{self.local}/approvals/open/{token}"

    def webhook(self, instance_id: str) -> str:
        """Where a messenger delivers to; empty when the internet does not reach this daemon."""
        base = self._settings.public_url.rstrip("/")
        return f"{base}/webhooks/{instance_id}" if base else ""
