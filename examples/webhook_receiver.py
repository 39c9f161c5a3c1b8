"""A receiver of webhooks: it verifies what it is told, and shows the messages.

    python examples/webhook_receiver.py --secret-file crm.secret

`messengers webhooks add crm http://127.0.0.1:8080/ --types "message.*"` prints the secret; for an
address of this machine the daemon needs MESSENGERS_PRIVATE_HOSTS=127.0.0.1:8080.
"""

import argparse
from collections import deque
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

SEEN: deque[str] = deque(maxlen=10_000)
"""Ids that were taken: what is delivered twice has the same."""


class Receiver(BaseHTTPRequestHandler):
    """Takes what is signed, refuses everything else."""

    secret = ""

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("content-length", "0")), 1_000_000))
        try:
            event = Webhook(self.secret).verify(body, dict(self.headers.items()))
        except (WebhookVerificationError, ValueError):  # ValueError: a header that is none
            self.answer(401)
            return
        self.answer(204)  # first, for whatever takes long comes after
        message_id = self.headers["webhook-id"]
        if message_id in SEEN:
            return
        SEEN.append(message_id)
        # What stands in it was written by strangers: show it, do not obey it.
        text = event["data"].get("message", {}).get("text", "")
        print(f"{event['type']} {text}".strip(), flush=True)

    def answer(self, status: int) -> None:
        """A status is all that is asked for."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Receive webhooks.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--secret-file", type=Path, required=True)
    given = parser.parse_args()
    Receiver.secret = given.secret_file.read_text().split()[-1]
    HTTPServer(("127.0.0.1", given.port), Receiver).serve_forever()
