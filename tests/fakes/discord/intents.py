"""What a gateway session asked to hear of.

Source: https://docs.discord.com/developers/events/gateway#list-of-intents
"""

from enum import IntFlag

__all__ = ["PRIVILEGED", "Intent", "wanted"]


class Intent(IntFlag):
    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_MODERATION = 1 << 2
    GUILD_EXPRESSIONS = 1 << 3
    GUILD_INTEGRATIONS = 1 << 4
    GUILD_WEBHOOKS = 1 << 5
    GUILD_INVITES = 1 << 6
    GUILD_VOICE_STATES = 1 << 7
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15
    GUILD_SCHEDULED_EVENTS = 1 << 16
    AUTO_MODERATION_CONFIGURATION = 1 << 20
    AUTO_MODERATION_EXECUTION = 1 << 21
    GUILD_MESSAGE_POLLS = 1 << 24
    DIRECT_MESSAGE_POLLS = 1 << 25


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
_MESSAGES = ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK"]
_REACTIONS = [
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "MESSAGE_REACTION_REMOVE_ALL",
    "MESSAGE_REACTION_REMOVE_EMOJI",
]
_VOTES = ["MESSAGE_POLL_VOTE_ADD", "MESSAGE_POLL_VOTE_REMOVE"]
_IN_GUILDS: dict[str, Intent] = {
    **dict.fromkeys(
        [
            "GUILD_CREATE",
            "GUILD_UPDATE",
            "GUILD_DELETE",
            "GUILD_ROLE_CREATE",
            "GUILD_ROLE_UPDATE",
            "GUILD_ROLE_DELETE",
            "CHANNEL_CREATE",
            "CHANNEL_UPDATE",
            "CHANNEL_DELETE",
            "CHANNEL_PINS_UPDATE",
            "THREAD_CREATE",
            "THREAD_UPDATE",
            "THREAD_DELETE",
            "THREAD_LIST_SYNC",
            "THREAD_MEMBER_UPDATE",
            "THREAD_MEMBERS_UPDATE",
        ],
        Intent.GUILDS,
    ),
    **dict.fromkeys(
        ["GUILD_MEMBER_ADD", "GUILD_MEMBER_UPDATE", "GUILD_MEMBER_REMOVE"], Intent.GUILD_MEMBERS
    ),
    **dict.fromkeys(["GUILD_BAN_ADD", "GUILD_BAN_REMOVE"], Intent.GUILD_MODERATION),
    **dict.fromkeys(["GUILD_EMOJIS_UPDATE", "GUILD_STICKERS_UPDATE"], Intent.GUILD_EXPRESSIONS),
    "WEBHOOKS_UPDATE": Intent.GUILD_WEBHOOKS,
    **dict.fromkeys(["INVITE_CREATE", "INVITE_DELETE"], Intent.GUILD_INVITES),
    "VOICE_STATE_UPDATE": Intent.GUILD_VOICE_STATES,
    "PRESENCE_UPDATE": Intent.GUILD_PRESENCES,
    **dict.fromkeys(_MESSAGES, Intent.GUILD_MESSAGES),
    **dict.fromkeys(_REACTIONS, Intent.GUILD_MESSAGE_REACTIONS),
    **dict.fromkeys(_VOTES, Intent.GUILD_MESSAGE_POLLS),
    "TYPING_START": Intent.GUILD_MESSAGE_TYPING,
}
_DIRECT = {
    **dict.fromkeys([*_MESSAGES, "CHANNEL_PINS_UPDATE"], Intent.DIRECT_MESSAGES),
    **dict.fromkeys(_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS),
    **dict.fromkeys(_VOTES, Intent.DIRECT_MESSAGE_POLLS),
    "TYPING_START": Intent.DIRECT_MESSAGE_TYPING,
}


def wanted(intents: Intent, event: str, *, direct: bool) -> bool:
    """Events that no intent stands for are always sent."""
    needed = (_DIRECT if direct else _IN_GUILDS).get(event)
    return needed is None or needed in intents
