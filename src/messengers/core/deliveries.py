"""What messengers deliver by themselves: verified, durable, and only then acknowledged."""

import logging

from messengers.core.instances import Instances
from messengers.core.supervisor import Supervisor
from messengers.errors import NotFound, Unauthorized
from messengers.providers.webhooks import ReceivesWebhooks, WebhookAnswer, WebhookRequest

__all__ = ["Deliveries"]

log = logging.getLogger(__name__)


class Deliveries:
    """Takes them for the instances that they are meant for."""

    def __init__(self, instances: Instances, supervisor: Supervisor) -> None:
        self._instances = instances
        self._supervisor = supervisor

    async def take(self, instance_id: str, request: WebhookRequest) -> WebhookAnswer:
        """What the messenger is told; everything it delivered is durable by then.

        Raises:
            Unauthorized: nothing proves that the messenger sent it.
            NotFound: no such instance, or its messenger delivers nothing.
            NotConnected: the instance does not run; the messenger delivers again later.
            StorageUnavailable: it could not be stored; likewise.
        """
        answer = await self._verified(instance_id, request)
        entry = self._instances.registry.entry(instance_id)
        for event in answer.events:
            await self._supervisor.arrived(
                entry, event.event_key, event.chat_key, event.kind, event.payload
            )
        if answer.stored is not None:
            answer.stored()
        return answer

    async def _verified(self, instance_id: str, request: WebhookRequest) -> WebhookAnswer:
        provider = self._instances.provider(instance_id)
        if not isinstance(provider, ReceivesWebhooks):
            raise NotFound("Nothing is delivered here.")
        try:
            return await provider.unpack(request)
        except ValueError as exc:
            log.info("a delivery could not be read: %s", type(exc).__name__)
            raise Unauthorized("The delivery cannot be read.") from exc
