"""The one type for an address that somebody named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from messengers.errors import InvalidInput
from messengers.urls import SafeUrl


class Holder(BaseModel):
    url: SafeUrl


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://Example.COM", "https://example.com/"),
        ("HTTP://example.com:80/a", "http://example.com/a"),
        ("https://example.com.:8443/?a=b#part", "https://example.com:8443/?a=b"),
        ("https://example.com?q=1", "https://example.com/?q=1"),
        ("https://пример.рф/Путь?я=1", "https://xn--e1afmkfd.xn--p1ai/%D0%9F%D1%83%D1%82%D1%8C?%D1%8F=1"),
        ("https://a_b.example.com/x%20y", "https://a_b.example.com/x%20y"),
        ("http://93.184.216.34/", "http://93.184.216.34/"),
        ("http://[2001:4860:4860:0::8888]:80/x", "http://[2001:4860:4860::8888]/x"),
        ("https://example.com/a@b:c", "https://example.com/a@b:c"),
    ],
)  # fmt: skip
def test_an_address_has_one_spelling(text: str, kept: str) -> None:
    assert str(SafeUrl.parse(text)) == kept
    assert SafeUrl.parse(kept) == SafeUrl.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "example.com", "//example.com/", "https:example.com", "https:///example.com",
        "https://", "https://?x", "https://user@example.com/", "https://user:pw@example.com/",
        "https://example.com\\@evil.example/", "https://exa mple.com/", "https://example.com/a b",
        "https://example.com/a\nb", "https://example.com/\x00", "https://example.com:0/",
        "https://example.com:65536/", "https://example.com:80:80/", "https://example..com/",
        "https://-a.example/", "https://a-.example/", "https://ex%61mple.com/",
        "https://" + "a" * 64 + ".example/", "https://" + "a." * 127 + "example/",
        "https://example.com/" + "a" * 8_200, "https://exam\u200bple.com/", "https://[::1%25lo]/",
        "https://[::1/", "https://[vf.x]/", "ftp://example.com/", "file:///etc/passwd",
        "https://exa<mple.com/", "https://\u202eexample.com/",
    ],
)  # fmt: skip
def test_what_programs_read_in_different_ways_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        SafeUrl.parse(text)

    assert "example" not in str(refused.value)


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/c", "https://example.com/c"),
        ("c?d", "https://example.com/a/c?d"),
        ("../c", "https://example.com/c"),
        ("?d", "https://example.com/a/b?d"),
        ("//other.example/c", "https://other.example/c"),
        ("https://other.example", "https://other.example/"),
    ],
)
def test_where_a_redirect_leads(location: str, kept: str) -> None:
    assert str(SafeUrl.parse("https://example.com/a/b?x=1").join(location)) == kept


@pytest.mark.parametrize("location", ["file:///etc/passwd", "javascript:1", "http://a@b/", "//[/"])
def test_a_redirect_to_no_web_address_is_refused(location: str) -> None:
    with pytest.raises(InvalidInput):
        SafeUrl.parse("https://example.com/a").join(location)


def test_a_repr_keeps_what_may_be_secret() -> None:
    url = SafeUrl.parse("https://example.com:8443/path?token=hidden")

    assert repr(url) == "<SafeUrl https://example.com:8443/…>"
    assert url.origin == "https://example.com:8443"


def test_a_model_takes_and_gives_text() -> None:
    held = Holder.model_validate({"url": "https://EXAMPLE.com"})

    assert held.url == SafeUrl.parse("https://example.com/")
    assert held.model_dump_json() == '{"url":"https://example.com/"}'
    assert Holder(url=held.url) == held
    assert Holder.model_json_schema()["properties"]["url"]["type"] == "string"
    for wrong in ("http://localhost@x", 5, None):
        with pytest.raises(ValidationError):
            Holder.model_validate({"url": wrong})


@given(st.text(max_size=60))
def test_whatever_is_taken_means_the_same_when_read_again(text: str) -> None:
    try:
        url = SafeUrl.parse(f"https://{text}")
    except InvalidInput:
        return
    assert SafeUrl.parse(str(url)) == url
    assert str(url).isascii()
    assert not set(url.host) & set("@/\\?# %")
