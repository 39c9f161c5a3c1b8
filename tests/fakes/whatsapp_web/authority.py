"""Who the fake is: the chain of Noise certificates and the TLS certificate of its hosts.

Engines carry the public key of WhatsApp's root and must be told ours; see `launch.py`.
"""

import datetime as dt
import time
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyaileys.auth.creds import KeyPair
from pyaileys.crypto.curve import DefaultCurve25519Provider

from tests.fakes.whatsapp_web.wire import WA

__all__ = ["CURVE", "NoiseAuthority", "TlsFiles", "make_tls"]

CURVE = DefaultCurve25519Provider()
_DAY_S = 86_400
_HOSTS = ("web.whatsapp.com", "*.whatsapp.com", "*.whatsapp.net", "localhost")


@dataclass(frozen=True)
class NoiseAuthority:
    """Root, intermediate and the key the server shows in each handshake."""

    root: KeyPair = field(default_factory=CURVE.generate_keypair)
    intermediate: KeyPair = field(default_factory=CURVE.generate_keypair)
    static: KeyPair = field(default_factory=CURVE.generate_keypair)

    @cached_property
    def chain(self) -> bytes:
        chain = WA.CertChain()
        for part, serial, key, signer in (
            (chain.intermediate, 1, self.intermediate, self.root),
            (chain.leaf, 2, self.static, self.intermediate),
        ):
            part.details = _details(serial, key)
            part.signature = CURVE.sign(signer.private, part.details)
        return chain.SerializeToString()


def _details(serial: int, key: KeyPair) -> bytes:
    now = int(time.time())
    details = WA.CertChain.NoiseCertificate.Details(
        serial=serial,
        issuerSerial=serial - 1,
        key=key.public,
        notBefore=now - _DAY_S,
        notAfter=now + _DAY_S,
    )
    return details.SerializeToString()


@dataclass(frozen=True)
class TlsFiles:
    """`authority` is what a client must trust; the other two are the server's own."""

    authority: Path
    certificate: Path
    key: Path


def make_tls(folder: Path) -> TlsFiles:
    """A new authority and a leaf for WhatsApp's hosts."""
    authority_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("A test's authority")
    authority = _unsigned(issuer, issuer, authority_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in _HOSTS]
    names.append(x509.IPAddress(ip_address("127.0.0.1")))
    leaf = _unsigned(_name(_HOSTS[0]), issuer, leaf_key).add_extension(
        x509.SubjectAlternativeName(names), critical=False
    )

    folder.mkdir(parents=True, exist_ok=True)
    files = TlsFiles(folder / "authority.pem", folder / "leaf.pem", folder / "leaf.key")
    pem = serialization.Encoding.PEM
    for file, made in ((files.authority, authority), (files.certificate, leaf)):
        file.write_bytes(made.sign(authority_key, hashes.SHA256()).public_bytes(pem))
    files.key.write_bytes(
        leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
    )
