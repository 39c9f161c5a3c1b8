"""`messengers rebuild`: what is made of the messages, made anew."""

from messengers.cli.control import place_of
from messengers.cli.terminal import Home, say
from messengers.core.summaries import rebuild as make_anew
from messengers.core.words import counted
from messengers.lock import locked
from messengers.store.offline import alone

__all__ = ["rebuild"]


def rebuild(home: Home = None) -> None:
    """Make the chat list's summaries and the search index anew; no daemon may run."""
    place = place_of(home)
    with locked(place):
        chats, messages = alone(place, make_anew)
    said = f"{counted(chats, 'chat')} and the words of {counted(messages, 'message')}"
    say(f"Made anew: the summaries of {said}.")
