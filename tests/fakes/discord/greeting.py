"""How a gateway session begins, and what a bot is told of its guilds."""

import secrets

from tests.fakes.discord.bots import IDENTIFIES_A_DAY, Bot
from tests.fakes.discord.guilds import Guild, Member
from tests.fakes.discord.intents import Intent, wanted
from tests.fakes.discord.people import Json
from tests.fakes.discord.sessions import Session
from tests.fakes.discord.snowflakes import iso
from tests.fakes.discord.world import World

__all__ = ["Greeting"]

_DAY_S = 86400
_FOUND_MAX = 100
_CHUNK = 1000


class Greeting(World):
    def __init__(self) -> None:
        super().__init__()
        self.heartbeat_ms = 41_250
        self.identify_every_s = 0.0
        """5 on the real server: a bot that begins sessions faster is told INVALID_SESSION."""
        self.resume_url = ""

    def may_identify(self, bot: Bot) -> bool:
        """Who begins too many sessions a day loses the token."""
        now = self.now()
        is_early = bool(bot.identifies) and now - bot.identifies[-1] < self.identify_every_s
        bot.identifies.append(now)
        bot.identifies_left -= 1
        if bot.identifies_left < 0:
            self.revoke(bot)
        return not is_early and not bot.revoked

    def revoke(self, bot: Bot) -> None:
        """Its token is good for nothing: 401, and 4004 at the gateway."""
        bot.revoked = True
        for session in list(bot.sessions.values()):
            if session.line:
                session.line.close(4004)
        bot.sessions.clear()

    def limits_of(self, bot: Bot) -> Json:
        return {
            "total": IDENTIFIES_A_DAY,
            "remaining": max(bot.identifies_left, 0),
            "reset_after": _DAY_S * 1000,
            "max_concurrency": 1,
        }

    def begin(self, bot: Bot, intents: Intent, shard: tuple[int, int]) -> Session:
        session = Session(secrets.token_hex(16), bot, intents, shard)
        bot.sessions[session.id] = session
        return session

    def welcome(self, session: Session) -> None:
        """READY, then its guilds one by one."""
        bot = session.bot
        guilds = [each for each in self.guilds_of(bot) if session.holds(each)]
        ready: Json = {
            "v": 10,
            "user": {**bot.json(), "email": None, "verified": True, "mfa_enabled": True},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "private_channels": [],
            "session_id": session.id,
            "resume_gateway_url": self.resume_url,
            "shard": list(session.shard),
            "application": {"id": str(bot.id), "flags": bot.flags},
        }
        session.dispatch("READY", ready)
        for guild in guilds:
            if not guild.unavailable:
                self.show_guild(session, guild)

    def show_guild(self, session: Session, guild: Guild, *, is_new: bool = False) -> None:
        """One that the bot has just come to is not called available."""
        if wanted(session.intents, "GUILD_CREATE", direct=False):
            payload = self.described(session, guild)
            payload |= {} if is_new else {"unavailable": False}
            self.judge("GUILD_CREATE", payload)
            session.dispatch("GUILD_CREATE", payload)

    def described(self, session: Session, guild: Guild) -> Json:
        """Without the intent for presences of its members only the bot itself."""
        bot = session.bot
        everybody = Intent.GUILD_PRESENCES in session.intents
        members = guild.members.values() if everybody else [guild.members[bot.id]]
        rooms = [each for each in guild.channels.values() if not each.is_thread]
        threads = [
            each
            for each in guild.threads
            if each.thread and not each.thread.archived and self.sees(bot, each)
        ]
        return {
            **guild.json(),
            "joined_at": iso(guild.members[bot.id].joined_at),
            "large": len(guild.members) > 50,
            "member_count": len(guild.members),
            "voice_states": [],
            "members": [member.json() for member in members],
            "channels": [each.json(bot) for each in rooms],
            "threads": [each.json(bot) for each in threads],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def tell_members(self, session: Session, asked: Json) -> None:
        """REQUEST_GUILD_MEMBERS, answered in chunks."""
        guild = self.guilds.get(int(asked["guild_id"]))
        if guild is None or session.bot.id not in guild.members:
            return
        found, missing = self._asked_members(session, guild, asked)
        chunks = [found[at : at + _CHUNK] for at in range(0, len(found), _CHUNK)] or [[]]
        for index, chunk in enumerate(chunks):
            payload: Json = {
                "guild_id": str(guild.id),
                "members": [member.json() for member in chunk],
                "chunk_index": index,
                "chunk_count": len(chunks),
                "not_found": missing,
            }
            if nonce := asked.get("nonce"):
                payload["nonce"] = nonce
            session.dispatch("GUILD_MEMBERS_CHUNK", payload)

    def _asked_members(
        self, session: Session, guild: Guild, asked: Json
    ) -> tuple[list[Member], list[str]]:
        if asked.get("user_ids"):
            ids = [str(each) for each in asked["user_ids"]][:_FOUND_MAX]
            found = [guild.members[int(id)] for id in ids if int(id) in guild.members]
            return found, [id for id in ids if int(id) not in guild.members]
        prefix, limit = str(asked.get("query", "")), int(asked.get("limit", 0))
        if not prefix and not limit:
            if Intent.GUILD_MEMBERS not in session.intents:
                self.records.mistakes.append("all members are asked for without GUILD_MEMBERS")
                return [], []
            return list(guild.members.values()), []
        named = [each for each in guild.members.values() if _is_named(each, prefix)]
        return named[: min(limit or _FOUND_MAX, _FOUND_MAX)], []


def _is_named(member: Member, prefix: str) -> bool:
    names = (member.nick, member.user.global_name, member.user.username)
    return any(name and name.lower().startswith(prefix.lower()) for name in names)
