"""A Redis server that speaks TLS, with certificates made for it."""

from __future__ import annotations

import datetime
import ipaddress
import typing as t
from pathlib import Path

from .redis import RedisServer
from .redis import quiet_port


class TLSRedisServer(RedisServer):
    """A server with a TLS port beside the other one.

    :param valid_for: the host that its certificate is made out to.
    """

    def __init__(self, *, valid_for: str = "127.0.0.1", **options: t.Any) -> None:
        super().__init__(**options)
        self.tls_port = quiet_port()
        self.authority = self.folder / "ca.pem"
        certificate, key = self.folder / "server.pem", self.folder / "server.key"
        make_certificate(valid_for, self.authority, certificate, key)
        self.options |= {
            "tls-port": str(self.tls_port),
            "tls-cert-file": str(certificate),
            "tls-key-file": str(key),
            "tls-ca-cert-file": str(self.authority),
            "tls-auth-clients": "no",
        }


def make_certificate(host: str, authority: Path, certificate: Path, key: Path) -> None:
    """Write a new authority's certificate, and one that it has signed with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.timezone.utc)
    pem = serialization.Encoding.PEM
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("tests", host)
    )

    def build(subject: x509.Name, public_key: t.Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    signed = (
        build(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(x509), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    authority.write_bytes(signed.public_bytes(pem))
    try:
        place: t.Any = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        place = x509.DNSName(host)
    signed = (
        build(name, server_key.public_key())
        .add_extension(x509.SubjectAlternativeName([place]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(pem))
    key.write_bytes(
        server_key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _key_usage(x509: t.Any) -> t.Any:
    off = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**off, key_cert_sign=True, crl_sign=True)
