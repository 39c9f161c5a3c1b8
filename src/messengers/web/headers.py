"""Security headers: of pages, of what they load, of data, and of files that strangers sent.

https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from collections.abc import Mapping

__all__ = ["DATA", "EVERYWHERE", "FILE", "FORM_PAGE", "ONLY_HTTPS", "PAGE"]

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_UNUSED_FEATURES = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")

EVERYWHERE: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
DATA: Mapping[str, str] = {
    **EVERYWHERE,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Of an answer for a program: shown in a browser it is nothing, and nobody keeps it."""
ONLY_HTTPS: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}
"""Of every answer that a browser gets by https."""
PAGE: Mapping[str, str] = {
    **EVERYWHERE,
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED_FEATURES),
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Of an HTML page: nothing inline, nothing from elsewhere, in nobody's frame."""
FORM_PAGE: Mapping[str, str] = {
    **PAGE,
    "Content-Security-Policy": _POLICY.replace("form-action 'none'", "form-action 'self'"),
    # Not "no-referrer": that makes browsers send "Origin: null" with the form.
    "Referrer-Policy": "same-origin",
}
"""Of a page with a form that is sent to us."""
FILE: Mapping[str, str] = {
    **EVERYWHERE,
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "none",
}
"""Of a file that somebody sent: opened by itself it can do nothing."""
