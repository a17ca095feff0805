"""A certificate authority for one test run, and the certificate of a Neon region that it signed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make(folder: Path, domain: str) -> None:
    """Write ca.crt, server.crt and server.key for every host of ``domain``; the key still has to be made private."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "userscope tests")])
    today = datetime.now(UTC)

    def signed(subject: x509.Name, public: ec.EllipticCurvePublicKey, extension: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
        builder = builder.not_valid_before(today - timedelta(days=1)).not_valid_after(today + timedelta(days=2))
        certificate = builder.add_extension(extension, critical=True).sign(authority, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)

    own = x509.BasicConstraints(ca=True, path_length=0)
    (folder / "ca.crt").write_bytes(signed(issuer, authority.public_key(), own))
    names = x509.SubjectAlternativeName([x509.DNSName(f"*.{domain}")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"*.{domain}")])
    (folder / "server.crt").write_bytes(signed(subject, key.public_key(), names))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(pem)
