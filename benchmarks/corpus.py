"""Messages to measure with: Russian, English, Chinese and emoji, words as unequal as in life."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["LANGUAGES", "Corpus"]

_RUSSIAN = """
привет ёлка доставка заказ завтра сегодня можно когда приедет сколько стоит спасибо хорошо адрес
улица встретимся вечером утром пожалуйста ещё вопрос цена скидка размер цвет синий красный зелёный
оплата карта наличные курьер телефон номер письмо фото договор счёт отправил получил ждём подождите
магазин работает выходной понедельник вторник среда четверг пятница суббота воскресенье
"""
_ENGLISH = """
hello order delivery tomorrow today when where price discount thanks please invoice payment card
address street meeting evening morning question size colour blue red green courier phone number
letter photo contract sent received waiting store open closed monday tuesday wednesday thursday
friday saturday sunday parcel refund tracking warranty support ticket schedule confirm cancel
"""
_CHINESE = list(
    "你好世界订单明天今天多少钱谢谢地址发货收到快递电话号码付款优惠颜色尺寸红蓝绿开门关门星期一二三四五六日请问可以"
)
_EMOJI = list("🔥👍😂❤🎉🙏😊🌲📦🚚💳📞✅❌🥳😭🤔👋💐🐱")
_ENDINGS = ("", "ами", "ов", "s", "ing", "ed", "2024", "17", "b", "x")

LANGUAGES = ("Russian", "English", "Chinese", "emoji")


@dataclass(frozen=True, slots=True)
class _Words:
    """A vocabulary with its weights: the n-th word is 1/n as common as the first."""

    words: Sequence[str]
    weights: Sequence[float]
    glue: str


def _vocabulary(stems: Sequence[str], glue: str, *, endings: bool) -> _Words:
    words = list(stems)
    if endings:
        # A few thousand words, most of them rare, as in any language.
        words += [f"{stem}{tail}" for tail in _ENDINGS[1:] for stem in stems]
        words += [f"{one}{two}" for one in stems[:40] for two in stems[:40]]
    cumulative: list[float] = []
    total = 0.0
    for rank in range(1, len(words) + 1):
        total += 1 / rank
        cumulative.append(total)
    return _Words(words, cumulative, glue)


class Corpus:
    """Texts and queries from a seed: the same ones in every run."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - texts to measure with, not secrets
        self._words = {
            "Russian": _vocabulary(_RUSSIAN.split(), " ", endings=True),
            "English": _vocabulary(_ENGLISH.split(), " ", endings=True),
            "Chinese": _vocabulary(_CHINESE, "", endings=False),
            "emoji": _vocabulary(_EMOJI, "", endings=False),
        }

    def texts(self) -> Iterator[str]:
        """Messages without end; one in eight also carries an emoji."""
        while True:
            language = self._random.choices(LANGUAGES, (40, 40, 15, 5))[0]
            long = {"emoji": 3, "Chinese": 24}.get(language, 12)
            text = self._some(language, self._random.randint(1, long))
            if self._random.random() < 0.125:
                text += " " + self._some("emoji", 1)
            yield text

    def queries(self, language: str, count: int) -> list[str]:
        """What a person types: a common or a rare word, two of them, or a beginning."""
        words = self._words[language].words
        found: list[str] = []
        for number in range(count):
            word = self._random.choice(words)
            match number % 4:
                case 0:
                    found.append(words[number % 20])
                case 1 if language != "emoji":
                    found.append(f"{words[number % 10]} {word}")
                case 2 if language in ("Russian", "English"):
                    found.append(f"{word[:4]}*")
                case _:
                    found.append(word)
        return found

    def _some(self, language: str, count: int) -> str:
        chosen = self._words[language]
        return chosen.glue.join(
            self._random.choices(chosen.words, cum_weights=chosen.weights, k=count)
        )
