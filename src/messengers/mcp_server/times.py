"""Times as callers write them and as answers show them, both in the owner's zone."""

import re
import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import orjson

from messengers.clock import from_ms, to_ms
from messengers.errors import InvalidInput

__all__ = ["Asked", "Span", "Zone"]

_RELATIVE = re.compile(r"([0-9]{1,9})([mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_FORMS = "Write ISO 8601 (2026-11-20 or 2026-11-20T14:00), 90m, 2h, 3d, 1w, today or yesterday."


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range: `since` belongs to it, `until` does not. None is open."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The range of a paged question.

    `2h` means another moment in every call, so the range that the first page had travels with the
    cursor, beside a check of how it was written.
    """

    span: Span
    cursor: str
    """The core's own cursor; empty for the first page."""
    check: str

    @classmethod
    def read(
        cls, zone: "Zone", since: str, until: str, cursor: str, *, name: str = "since"
    ) -> "Asked":
        """Raises InvalidInput for a cursor that belongs to another question.

        `name` is what the tool calls its `since`.
        """
        check = f"{zlib.crc32(orjson.dumps([since, until])):08x}"
        if not cursor:
            return cls(zone.span(since, until, name), "", check)
        parts = cursor.split(".", 3)
        if len(parts) != 4 or parts[0] != check:
            raise InvalidInput(
                "cursor belongs to another question.", "Repeat the same call and add only cursor."
            )
        return cls(Span(_moment(parts[1]), _moment(parts[2])), parts[3], check)

    def carry(self, cursor: str) -> str:
        """What the caller gets for the core's cursor."""
        if not cursor:
            return ""
        return ".".join((self.check, _digits(self.span.since), _digits(self.span.until), cursor))


def _digits(moment: datetime | None) -> str:
    return f"{to_ms(moment):x}" if moment else ""


def _moment(digits: str) -> datetime | None:
    try:
        return from_ms(int(digits, 16)) if digits else None
    except (ValueError, OverflowError) as exc:
        raise InvalidInput("cursor is damaged.", "Take it unchanged from the last answer.") from exc


@dataclass(frozen=True, slots=True)
class Zone:
    """The owner's zone at one moment."""

    zone: ZoneInfo
    now: datetime = field(compare=False)
    """Equal or not: what is written by a zone stays the same."""

    def moment(self, text: str, name: str) -> datetime:
        """The UTC moment that the parameter `name` means; raises InvalidInput."""
        try:
            moment = from_ms(to_ms(self._read(text.strip())))
            self.local(moment)  # the first and last days of the calendar fit no zone
        except (ValueError, OverflowError) as exc:
            raise InvalidInput(f"{name} is no time that can be read.", _FORMS) from exc
        return moment

    def _read(self, text: str) -> datetime:
        today = self.local(self.now).date()
        if found := _RELATIVE.fullmatch(text.lower()):
            return self.now - int(found[1]) * _UNITS[found[2]]
        match text.lower():
            case "now":
                return self.now
            case "today":
                return self._midnight(today)
            case "yesterday":
                return self._midnight(today - timedelta(days=1))
            case _:
                return self._iso(text)

    def ahead(self, text: str, name: str) -> datetime:
        """The moment to come that the parameter `name` means: `8h` from now, or ISO 8601."""
        relative = _RELATIVE.fullmatch(text.strip().lower())
        try:
            moment = self.now + int(relative[1]) * _UNITS[relative[2]] if relative else None
            moment = moment or self._iso(text.strip())
            self.local(moment)
        except (ValueError, OverflowError) as exc:
            raise InvalidInput(f"{name} is no time that can be read.", "Write 8h or ISO.") from exc
        if moment <= self.now:
            raise InvalidInput(f"{name} is past.", "Give a time to come.")
        return moment

    def later(self, text: str, name: str) -> datetime | timedelta:
        """When something is to happen: so long after it is agreed to (`8h`), or a moment (ISO)."""
        relative = _RELATIVE.fullmatch(text.strip().lower())
        try:
            if relative:
                return int(relative[1]) * _UNITS[relative[2]]
            moment = self._iso(text.strip())
            self.local(moment)
        except (ValueError, OverflowError) as exc:
            raise InvalidInput(f"{name} is no time that can be read.", "Write 8h or ISO.") from exc
        return moment

    def span(self, since: str, until: str, name: str = "since") -> Span:
        """Both ends, each open when empty; raises InvalidInput when nothing fits between."""
        start = self.moment(since, name) if since.strip() else None
        end = self.moment(until, "until") if until.strip() else None
        if start and end and start >= end:
            raise InvalidInput("until must be later than since.", "until itself is left out.")
        return Span(start, end)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    def _iso(self, text: str) -> datetime:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=self.zone)
        return parsed.astimezone(UTC)

    @property
    def name(self) -> str:
        """`Europe/Riga`; a zone read from the system's file may have no name."""
        return self.zone.key or "local time"

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def day(self, moment: datetime | None) -> str:
        """`2026-11-20`, empty for None."""
        return self.local(moment).date().isoformat() if moment else ""

    def clock(self, moment: datetime | None) -> str:
        """`14:05`, `--:--` for None."""
        return self.local(moment).time().isoformat("minutes") if moment else "--:--"

    def minute(self, moment: datetime | None) -> str:
        """`2026-11-20 14:05`, empty for None."""
        return self.local(moment).isoformat(" ")[:16] if moment else ""

    def second(self, moment: datetime) -> str:
        """`2026-11-20 14:05:03`."""
        return self.local(moment).isoformat(" ")[:19]

    def range(self, first: datetime | None, last: datetime | None) -> str:
        """`2026-11-20 14:00–15:00 Europe/Riga`; with one end `since …` or `until …`."""
        if first is None or last is None:
            ends = f"since {self.minute(first)}" if first else ""
            ends = f"until {self.minute(last)}" if last else ends
        elif self.minute(first) == self.minute(last):
            ends = self.minute(first)
        elif self.day(first) == self.day(last):
            ends = f"{self.minute(first)}–{self.clock(last)}"
        else:
            ends = f"{self.minute(first)} – {self.minute(last)}"
        return f"{ends} {self.name}".strip()
