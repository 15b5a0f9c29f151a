"""Where Dunlin's TLS differs from the peer's on purpose, or because rustls does: a name, and the reason."""

REASONS = {
    "cbc": "suites with CBC are not offered: their padding has been attacked again and again",
    "p521": "the cryptography used here has no P-521; where the client offers another group too, that one is taken",
    "digest": "of several digests that the client takes in the server's signature, rustls has its own order (the longest first "
    "for RSA, the one of its curve for ECDSA), the peer the client's order",
    "digest_of_curve": "a key of P-256 signs with SHA-256 alone and one of P-384 with SHA-384, as TLS 1.3 has it; the peer lets "
    "clients of TLS 1.2 mix them",
    "no_alert": "rustls ends a handshake of TLS 1.2 in which no signature fits without telling the client why",
    "older_versions": "to hellos of TLS 1.0 and 1.1 rustls answers handshake_failure where the peer says protocol_version",
    "fallback": "rustls leaves it to the client to see in the server's random bytes that it was made to fall back; the peer says it",
}
CBC = {"ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA"}
FAILED, VERSION, INAPPROPRIATE = ({"refused": f"alert {number}"} for number in (40, 70, 86))
CLOSED = {"refused": "unexpected eof while reading"}
SEEN_BY_CLIENT = {"refused": "inappropriate fallback"}


def explain(case, peer, dunlin):
    """The names of what makes these two results differ, none where they do not; None where nothing here does."""
    names = []
    # Both have signed, and the client has taken both.
    if "digest" in peer and "digest" in dunlin and peer["digest"] != dunlin["digest"]:
        peer, dunlin = without(peer, "digest"), without(dunlin, "digest")
        names.append("digest")
    if peer == dunlin:
        return names
    name = refusal(case, peer, dunlin)
    if name is None and "secp521r1" in peer.get("key", "") and without(peer, "key") == without(dunlin, "key"):
        name = "p521"
    return [*names, name] if name else None


def refusal(case, peer, dunlin):
    """Why Dunlin refuses what the peer takes, or refuses it in another way."""
    if peer.get("suite") in CBC and dunlin == FAILED:
        return "cbc"
    if "secp521r1" in peer.get("key", "") and dunlin == FAILED:
        return "p521"
    if case.kind == "signature" and peer.get("signature") == "ECDSA" and dunlin in (CLOSED, FAILED):
        return "digest_of_curve"
    if case.kind == "signature" and (peer, dunlin) == (FAILED, CLOSED):
        return "no_alert"
    if (peer, dunlin) == (VERSION, FAILED) and {"-tls1", "-tls1_1", "-no_tls1_2"} & set(case.arguments):
        return "older_versions"
    if (peer, dunlin) == (INAPPROPRIATE, SEEN_BY_CLIENT):
        return "fallback"
    return None


def without(result, key):
    return {name: value for name, value in result.items() if name != key}
