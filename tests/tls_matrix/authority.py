"""Certificates for the matrix, made by the command openssl: one authority, one server certificate for each kind of key."""

import os
import subprocess

KEYS = {
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "ed25519": ["-algorithm", "ED25519"],
}
EXTENSIONS = """basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1
"""


def openssl(folder, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(arguments)}\n{done.stderr.decode()}")


def make(folder):
    """Writes NAME.pem and NAME-key.pem for each of KEYS, and ca.pem."""
    openssl(folder, "genpkey", *KEYS["p256"], "-out", "ca-key.pem")
    openssl(folder, "req", "-x509", "-new", "-key", "ca-key.pem", "-subj", "/O=Dunlin/CN=ca", "-days", "3", "-out", "ca.pem")
    with open(os.path.join(folder, "extensions"), "w", encoding="ascii") as file:
        file.write(EXTENSIONS)
    for name, kind in KEYS.items():
        openssl(folder, "genpkey", *kind, "-out", f"{name}-key.pem")
        openssl(folder, "req", "-new", "-key", f"{name}-key.pem", "-subj", f"/O=Dunlin/CN={name}", "-out", f"{name}.csr")
        openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial",
            "-days", "2", "-extfile", "extensions", "-out", f"{name}.pem",
        )  # fmt: skip
