"""What WhatsApp cannot do with groups is said without asking its worker."""

import pytest

from messengers.errors import Unsupported
from messengers.providers.whatsapp_web.managing import Managing


async def test_whatsapp_bans_nobody() -> None:
    with pytest.raises(Unsupported, match="bans nobody"):
        await Managing().change_members("1@g.us", "ban", ["2@s.whatsapp.net"])
