"""Versions, suites, groups and signatures of TLS: what `openssl s_client` agrees on with Dunlin and with the peer.

    python tests/tls_matrix/matrix.py --dunlin PROGRAM --peer PROGRAM [--cores N] [--all]

Both servers have the same certificates and configuration; s_client offers one thing at a time to each. What the two agree on
with it is compared: version, suite, key exchange, signature, ALPN, or the alert. `differences.py` says what may differ and why;
anything else that differs ends with exit code 1, and so does a difference that no longer shows.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

import authority
import cases
import differences

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "differ"))
from servers import Server  # noqa: E402

HANDSHAKE_WITHIN = 60
SEEN = {
    "version": re.compile(r"^(?:New|Reused), (\S+), Cipher is", re.M),
    "suite": re.compile(r"Cipher is (\S+)$", re.M),
    "key": re.compile(r"^(?:Server|Peer) Temp Key: (.+)$", re.M),
    "digest": re.compile(r"^Peer signing digest: (\S+)", re.M),
    "signature": re.compile(r"^Peer signature type: (\S+)", re.M),
    "certificate": re.compile(r"^Server public key is (.+)$", re.M),
    "alpn": re.compile(r"^ALPN protocol: (\S+)", re.M),
    "renegotiation": re.compile(r"^Secure Renegotiation (IS NOT|IS) supported", re.M),
    "compression": re.compile(r"^Compression: (\S+)", re.M),
    "master_secret": re.compile(r"^ *Extended master secret: (\S+)", re.M),
    "stapled": re.compile(r"^OCSP response: ?(\S.*)$", re.M),
}
ALERT = re.compile(r"SSL alert number (\d+)")
# CODE, library, function, reason
ERROR = re.compile(r":error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):")


def offer(port, arguments):
    """What s_client and the server on this port agree on, or how the handshake ended."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=HANDSHAKE_WITHIN, check=False)
    out, error = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    if done.returncode == 0:
        found = {name: match[1] for name, pattern in SEEN.items() if (match := pattern.search(out))}
        if found["version"] == "TLSv1.3":
            # It has no other; s_client says so only where a ticket came before it left.
            found.pop("master_secret", None)
        return found | {"resumed": len(re.findall("^Reused, ", out, re.M))}
    alert, reason = ALERT.search(error), ERROR.search(error)
    if alert:
        return {"refused": f"alert {alert[1]}"}
    if reason and "CONNECTED" in out:
        return {"refused": reason[1]}
    raise RuntimeError(f"{' '.join(command)}\n{error}")


def play(setting, programs, folder, jobs):
    """Every case of a setting, at both; a list of (case, peer's, Dunlin's)."""
    config = setting.config(folder)
    with Server(programs["peer"], [], config) as peer, Server(programs["dunlin"], programs["flags"], config) as dunlin:
        rows = setting.cases()

        def both(case):
            return case, offer(peer.port, case.arguments), offer(dunlin.port, case.arguments)

        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(both, rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dunlin", required=True)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--cores", default="1", help="of Dunlin")
    parser.add_argument("--jobs", type=int, default=2, help="how many clients at once")
    parser.add_argument("--all", action="store_true", help="show every row, not only those that differ")
    arguments = parser.parse_args()
    programs = {
        "dunlin": os.path.abspath(arguments.dunlin),
        "peer": os.path.abspath(arguments.peer),
        "flags": ["--cores", arguments.cores],
    }
    wrong, count, agreed, met = 0, 0, 0, set()
    with tempfile.TemporaryDirectory(prefix="tls-matrix-") as folder:
        authority.make(folder)
        for setting in cases.SETTINGS:
            for case, peer, dunlin in play(setting, programs, folder, arguments.jobs):
                count += 1
                agreed += "version" in dunlin
                names = differences.explain(case, peer, dunlin)
                is_wrong = names is None
                wrong += is_wrong
                met.update(names or [])
                if is_wrong or arguments.all:
                    verdict = "WRONG" if is_wrong else " and ".join(names) or "same"
                    print(f"{verdict} ({setting.name}): {' '.join(case.arguments)}")
                    print(f"    peer   {peer}\n    dunlin {dunlin}")
    for name in sorted(set(differences.REASONS) - met):
        wrong += 1
        print(f"WRONG the difference '{name}' does not show any more: take it out of differences.py")
    print(f"{count} offers, {agreed} agreed on, differences on purpose: {', '.join(sorted(met))}; {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
