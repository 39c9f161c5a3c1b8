"""WhatsApp Web: a phone's own account, linked by QR code or pairing code.

What it declares stands in `info`: a worker imports this package too, and is 12 MB lighter without.
"""
