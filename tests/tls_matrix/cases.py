"""What is offered, and to which configurations."""

import dataclasses
import functools
import subprocess

# Without this s_client itself keeps back what is old or weak.
WEAK = "@SECLEVEL=0"
# Those of OpenSSL that a client may offer in TLS 1.2; the ones without keys of certificates are there to be refused.
EVERY_SUITE = f"ALL:COMPLEMENTOFALL:{WEAK}"
SUITES_1_3 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
              "TLS_AES_128_CCM_8_SHA256"]  # fmt: skip
GROUPS = ["X25519", "P-256", "P-384", "P-521", "X448", "brainpoolP256r1", "secp256k1", "secp224r1"]
GROUPS_1_3 = ["X25519", "P-256", "P-384", "P-521", "X448", "ffdhe2048", "ffdhe4096"]
SIGNATURES = ["RSA-PSS+SHA256", "RSA-PSS+SHA384", "RSA-PSS+SHA512", "RSA+SHA256", "RSA+SHA384", "RSA+SHA512", "RSA+SHA1",
              "ECDSA+SHA256", "ECDSA+SHA384", "ECDSA+SHA512", "ECDSA+SHA1", "ed25519", "ed448"]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Case:
    """What s_client is told; `kind` and `value` are what it is about."""

    kind: str
    value: str
    arguments: tuple


@functools.cache
def suites_1_2():
    listed = subprocess.run(["openssl", "ciphers", "-s", "-tls1_2", EVERY_SUITE], capture_output=True, check=True)
    return [name for name in listed.stdout.decode().strip().split(":") if not name.startswith("TLS_")]


def case(kind, value, *arguments):
    """Where a case is not about groups, these: what OpenSSL offers by itself is another from version to version."""
    if "-curves" not in arguments:
        arguments += ("-curves", "X25519:P-256:P-384")
    return Case(kind, value, arguments)


def versions():
    flags = ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3", "-no_tls1_3", "-no_tls1_2"]
    return [case("version", flag, flag, "-cipher", f"DEFAULT:{WEAK}") for flag in flags] + [case("version", "default")]


def suites():
    """Each alone."""
    of_1_2 = [case("suite", name, "-tls1_2", "-cipher", f"{name}:{WEAK}") for name in suites_1_2()]
    return of_1_2 + [case("suite_1_3", name, "-tls1_3", "-ciphersuites", name) for name in SUITES_1_3]


def preferences():
    """Which one the server takes of several, whatever the order they are offered in."""
    several = {
        "aes256_first": "ECDHE+AES256:ECDHE+AES128:ECDHE+CHACHA20",
        "aes128_first": "ECDHE+AES128:ECDHE+AES256:ECDHE+CHACHA20",
        "without_gcm_128": "ECDHE+AES256:ECDHE+CHACHA20:!AES128",
    }
    rows = [case("preference", name, "-tls1_2", "-cipher", f"{value}:{WEAK}") for name, value in several.items()]
    for name, value in (("aes256_first", "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"),
                        ("aes128_first", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384")):  # fmt: skip
        rows.append(case("preference_1_3", name, "-tls1_3", "-ciphersuites", value))
    return rows


def groups():
    of_1_2 = [case("group", name, "-tls1_2", "-curves", name, "-cipher", f"DEFAULT:{WEAK}") for name in GROUPS]
    of_1_3 = [case("group_1_3", name, "-tls1_3", "-curves", name) for name in GROUPS_1_3]
    # The second is liked as well, but no share comes with it: the server asks again, or takes what there is.
    several = ["P-256:X25519", "P-384:P-256", "X448:P-256", "P-521:X25519"]
    return of_1_2 + of_1_3 + [case("groups", value, flag, "-curves", value) for value in several for flag in ("-tls1_2", "-tls1_3")]


def signatures():
    rows = []
    for name in SIGNATURES:
        rows.append(case("signature", name, "-tls1_2", "-sigalgs", name, "-cipher", f"DEFAULT:{WEAK}"))
        rows.append(case("signature_1_3", name, "-tls1_3", "-sigalgs", name, "-cipher", f"DEFAULT:{WEAK}"))
    return rows


def extensions():
    return [
        case("extension", "alpn", "-alpn", "nats,http/1.1"),
        case("extension", "alpn_1_2", "-tls1_2", "-alpn", "nats,http/1.1"),
        case("extension", "its_name", "-servername", "localhost"),
        case("extension", "other_name", "-servername", "elsewhere.test"),
        case("extension", "stapling", "-status"),
        case("extension", "short_fragments", "-maxfraglen", "512"),
        case("extension", "no_ticket", "-tls1_2", "-no_ticket"),
        case("extension", "compression", "-tls1_2", "-comp"),
        case("extension", "fallback_1_1", "-tls1_1", "-fallback_scsv", "-cipher", f"DEFAULT:{WEAK}"),
        case("extension", "fallback_1_2", "-tls1_2", "-fallback_scsv"),
        case("extension", "resumption", "-tls1_2", "-reconnect"),
        case("extension", "resumption_without_tickets", "-tls1_2", "-reconnect", "-no_ticket"),
    ]


@dataclasses.dataclass(frozen=True)
class Setting:
    """Lines of the `tls` block beside the certificates, and what is offered to it."""

    name: str
    certificates: tuple
    lines: str
    offers: tuple

    def config(self, folder):
        pairs = [f'{{cert_file: "{folder}/{name}.pem", key_file: "{folder}/{name}-key.pem"}}' for name in self.certificates]
        # TLS comes first, since s_client knows nothing of INFO.
        return f"tls {{ certs: [{', '.join(pairs)}], timeout: 30, handshake_first: true\n{self.lines}\n}}\n"

    def cases(self):
        return [row for offers in self.offers for row in offers()]


CHOSEN = "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]"
SETTINGS = [
    Setting("rsa", ("rsa",), "", (versions, suites, preferences, groups, signatures, extensions)),
    Setting("p256", ("p256",), "", (versions, suites, preferences, signatures)),
    Setting("p384", ("p384",), "", (versions, signatures)),
    Setting("ed25519", ("ed25519",), "", (versions, signatures)),
    Setting("rsa and p256", ("rsa", "p256"), "", (versions, suites, signatures)),
    Setting("p256 and rsa", ("p256", "rsa"), "", (suites, signatures)),
    Setting("min_version 1.3", ("rsa",), 'min_version: "1.3"', (versions, extensions)),
    Setting("chosen suites", ("rsa", "p256"), CHOSEN, (suites, preferences)),
    Setting("chosen groups", ("rsa",), "curve_preferences: [CurveP384, X25519]", (groups,)),
]
