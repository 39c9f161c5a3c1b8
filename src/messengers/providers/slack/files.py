"""Fetching the files of messages: asked for by their id, from Slack's own hosts, with the token."""

from messengers.errors import InvalidInput, PlatformRefused, Unreachable
from messengers.guarded import AllowedHosts, Guard
from messengers.models import Attachment
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.failures import told
from messengers.providers.slack.wire import Json, Refused, as_object
from messengers.urls import SafeUrl

__all__ = ["Files"]

_FETCH_S = 50.0
_HOSTS = (".slack.com", ".slack-files.com")


class Files:
    """Of one account. `api` is the address that the owner gave in place of Slack's, or empty."""

    def __init__(self, token: str, api: str, guard: Guard) -> None:
        self._proof = {"Authorization": f"Bearer {token}"}
        self._guard = guard
        self._own = SafeUrl.parse(api) if api else None
        self._at_own = Guard(AllowedHosts([_host_of(self._own)] if self._own else ()))

    async def fetched(self, calls: Calls, attachment: Attachment, max_bytes: int) -> bytes:
        """The bytes of an attachment. Its address is asked for each time: Slack alone names it."""
        answer = await calls.ask("files.info", file=attachment.native_ref)
        file = as_object(answer.get("file"))
        if int(file.get("size") or 0) > max_bytes:
            raise InvalidInput("The file is larger than is kept here.", "Look in Slack.")
        url = _address(file)
        try:
            reply = await self._guard_of(url).fetch(
                url,
                max_bytes=max_bytes,
                headers=self._proof,
                within=AllowedHosts([_host_of(url)]),
                deadline_s=_FETCH_S,
            )
        except InvalidInput as exc:
            raise _not_given() from exc
        except Unreachable as exc:
            raise Unreachable("Slack does not give the file at the moment.", "Try again.") from exc
        if reply.url != url:  # Without a right to it Slack leads to its login page.
            raise _not_given()
        return reply.body

    def _guard_of(self, url: SafeUrl) -> Guard:
        """Raises PlatformRefused for what is not Slack's: the token goes nowhere else."""
        if self._own is not None and url.origin == self._own.origin:
            return self._at_own
        if url.scheme != "https" or not url.host.endswith(_HOSTS):
            with told(changes=False):
                raise Refused("file_elsewhere")
        return self._guard


def _address(file: Json) -> SafeUrl:
    address = str(file.get("url_private_download") or file.get("url_private") or "")
    if not address:
        raise PlatformRefused("Slack has that file no longer.", "Ask for it to be sent again.")
    try:
        return SafeUrl.parse(address)
    except InvalidInput as exc:
        raise _not_given() from exc


def _not_given() -> PlatformRefused:
    return PlatformRefused("Slack did not give the file.", "Ask for it to be sent again.")


def _host_of(url: SafeUrl) -> str:
    return url.origin.partition("://")[2]
