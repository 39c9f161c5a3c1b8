"""People the instances have seen."""

from messengers.core.access import Access
from messengers.core.callers import OWNER, Caller
from messengers.core.instances import Instances
from messengers.core.names import escape_like, fold_handle, fold_name, fold_phone
from messengers.core.pages import check_limit
from messengers.errors import InvalidInput
from messengers.models import Contact
from messengers.store import Store
from messengers.store import contacts as rows

__all__ = ["Contacts"]


class Contacts:
    """Counterparts, by name, number or handle."""

    def __init__(self, store: Store, instances: Instances, access: Access) -> None:
        self._store = store
        self._access = access
        self._instances = instances

    async def find(
        self, caller: Caller, query: str, instance: str = "", limit: int = 10
    ) -> list[Contact]:
        """Contacts whose name, handle or number contains the query, last seen first."""
        check_limit(limit, 50)
        part = fold_phone(query) or fold_name(query) or fold_handle(query)
        if not part:
            raise InvalidInput("query is empty.", "Give part of a name, number or handle.")
        visible = self._instances.visible(caller, instance)
        scope = {} if visible is None else {"instances": list(visible)}
        is_owner = caller.actor == OWNER.actor
        found = await self._store.rows(
            rows.matching(instances=visible is not None, hidden=is_owner),
            part=escape_like(part),
            limit=limit,
            **scope,
        )
        return [
            rows.contact_of(row, self._instances.by_id(row["instance_id"]).name)
            for row in found
            if caller.sees(row["instance_id"]) and (is_owner or not self._access.shuns(row))
        ]
