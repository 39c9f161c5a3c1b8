"""What counts as a passage of another chat, and what everybody says."""

import pytest

from messengers.core.overlaps import Source, Text, overlap

HOME, OTHER = 1, 2
ORDINARY = (
    "ok, see you tomorrow",
    "Thank you very much for your quick reply!",
    "Good morning, how are you doing today?",
    "Happy birthday to you, all the best!",
    "I'll be there at 18:30, see you then",
    "Thank you so much, have a great weekend",
    "Let me know if you have any questions.",
    "It is 1,250.00 euro, due on 2026-12-01",
    "Спасибо большое, хорошего дня и до встречи!",
    "Привет, как дела? Завтра в 10:00 удобно?",
    "Vielen Dank für die schnelle Antwort!",
    "Guten Morgen, wie geht es dir heute?",
    "Merci beaucoup et bonne journée à vous !",
    "Muchas gracias, que tengas un buen día",
    "Paldies, uz tikšanos rīt no rīta!",
    "谢谢你,明天见,祝你今天愉快!",
    "ありがとうございます、また明日。",
    "شكرا جزيلا لك، أراك غدا إن شاء الله",
    "👍👍 🎉",
)
PRIVATE = (
    "The spare key lies under the third flower pot left of the garden door.",
    "Ключ от дачи лежит под третьим горшком слева от садовой двери, не говори никому.",
    "Der Ersatzschlüssel liegt unter dem dritten Blumentopf links neben der Gartentür.",
    "备用钥匙在花园门左边第三个花盆下面,请不要告诉别人。",
    "The alarm is switched off with 48516299",
    "transfer it to LV80 BANK 0000 4351 9500 1",
    "call me under +371 20 000 441 please",
    "my login is anna.berzina@post.example",
    "correct-horse-battery-staple",
    "the safe opens with 4711-8",
    "https://files.example/s/aZ81kq-private",
)


def found(said: str, *stored: str, chats: tuple[int, ...] = (OTHER,), older: str = "") -> int:
    """The letters that a text has from another chat that holds the stored messages."""
    sources = [Source(chat, each, by_agent=False) for chat in chats for each in stored]
    hit = overlap(Text(said, older=older), sources, HOME)
    return hit.length if hit else 0


@pytest.mark.parametrize("phrase", ORDINARY)
@pytest.mark.case("S22")
def test_what_everybody_says_is_no_passage(phrase: str) -> None:
    assert found(phrase, phrase) == 0
    assert found(f"{phrase} And something of my own about it.", phrase) == 0


@pytest.mark.parametrize("secret", PRIVATE)
@pytest.mark.case("S22")
def test_what_somebody_wrote_to_another_is_found_however_it_is_set(secret: str) -> None:
    assert found(f"She wrote: {secret.upper()} Nice, isn't it?", f"By the way, {secret} Bye!")
    assert found("\u200b".join(secret), secret)
    assert found(" ".join(secret), secret)


def test_what_its_own_chat_knows_or_three_others_do_is_no_secret() -> None:
    secret = PRIVATE[0]
    here = Source(HOME, secret, by_agent=False)
    there = Source(OTHER, secret, by_agent=False)

    assert overlap(Text(secret), [there], HOME)
    assert overlap(Text(secret), [there, here], HOME) is None
    assert found(secret, secret, chats=(2, 3))
    assert found(secret, secret, chats=(2, 3, 4)) == 0


def test_what_an_agent_said_to_one_it_may_say_to_another_but_no_codes() -> None:
    answer = "We are open from Monday to Friday, and our shop is beside the old town hall."
    code = "Your parcel waits in box 77-41-90-25."

    assert overlap(Text(answer), [Source(OTHER, answer, by_agent=True)], HOME) is None
    assert overlap(Text(code), [Source(OTHER, code, by_agent=True)], HOME)


def test_a_transcript_of_short_messages_is_found_and_two_of_them_are_not() -> None:
    lines = [
        "are you home?",
        "not before nine",
        "bring the keys",
        "and the red bag",
        "love you all",
    ]

    assert found("\n".join(f"[14:0{n}] Anna: {line}" for n, line in enumerate(lines)), *lines)
    assert found(f"{lines[1]} {lines[2]}", *lines) == 0


def test_pieces_count_together_and_only_with_what_is_new() -> None:
    secret = PRIVATE[0]

    assert found(secret[30:], secret, older=secret[:30])
    assert found("Good morning!", secret, older=secret) == 0
