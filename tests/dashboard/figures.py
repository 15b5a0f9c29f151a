"""Pages of a server that is not there: eight busy cores, several accounts, names that mean harm.

Counters grow with the time that has passed, so that rates are steady. `restart` begins them anew, as another server would.
"""
import math
import time
from urllib.parse import parse_qs

HOSTILE = "<img src=x onerror=\"window.hit=1\"><script>window.hit=1</script>"
TURNED = "abc\u202egnp.exe\u0000\u200b"
NAMES = ["checkout-api", "billing-worker", "inventory", "fraud-scoring", "audit-log", "edge-gateway-eu-1", "edge-gateway-eu-2",
         "warehouse-sync", "mobile-push", "search-indexer", "a service with a rather long name that says all it does and more"]
ACCOUNTS = ["$G", "SHOP", "WAREHOUSE", "$SYS"]


def stamp(seconds):
    whole, part = divmod(seconds, 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int(part * 1e9):09d}Z"


class Figures:
    def __init__(self, cores=8, connections=60):
        self.cores, self.connections = cores, connections
        self.restart(0)

    def restart(self, number=1):
        # A server that has run for a day has counted a lot; a new one has not.
        self.start = time.time() - (93_784 if number == 0 else 0)
        self.key = "NDUNLINSTANDIN" + str(number) * 42

    def pages(self):
        return {name: getattr(self, name) for name in ("varz", "corez", "subjectz", "slowz", "queuez", "accountz", "accstatz", "connz")}

    def head(self):
        return {"server_id": self.key, "now": stamp(time.time())}

    def grown(self, rate):
        """A counter that has grown by `rate` a second, and a little unevenly."""
        age = time.time() - self.start
        return int(rate * (age + 2 * math.sin(age / 7)))

    def varz(self, _):
        return {**self.head(), "server_name": "dunlin-eu-3", "version": "2.15.1", "host": "0.0.0.0", "port": 4222, "start": stamp(self.start),
                "in_msgs": self.grown(184_000), "in_bytes": self.grown(31_000_000), "out_msgs": self.grown(412_000), "out_bytes": self.grown(70_100_000),
                "connections": 2417, "total_connections": 18_022, "subscriptions": 10_382, "slow_consumers": 3, "stalled_clients": 1204,
                "cpu": 342.7, "mem": 187_432_960}

    def corez(self, _):
        return {**self.head(), "cores": [self.core(number) for number in range(self.cores)]}

    def core(self, number):
        busy = [62.4, 71.0, 93.2, 8.1, 44.0, 55.3, 0.4, 31.9][number % 8]
        links = [{"to": to, "in_flight_bytes": 1000 * ((number * 7 + to * 13) % 90), "high_water_bytes": 4000 * ((number * 5 + to * 11) % 97),
                  "spill_bytes": 524_288 if (number, to) == (2, 5) else 0} for to in range(self.cores) if to != number]
        return {"core": number, "cpu_id": number * 2, "thread_cpu_seconds": 812.2, "busy_percent": busy, "turns": 1,
                "turn_us": {"p50": 14.2 + number, "p99": 180.0 * (number + 1), "max": 3100.0 + 700 * number}, "connections": 300 + number,
                "subscriptions": 1300, "in_msgs": self.grown(23_000), "in_bytes": self.grown(4e6), "out_msgs": self.grown(51_000),
                "out_bytes": self.grown(9e6), "writes": 9, "wakes": self.grown(1900), "parks": self.grown(2400), "spins": 0, "stalls": number,
                "credit_stalls": 17 if number == 2 else 0, "match_cache": {"entries": 8000, "hits": self.grown(22_700), "misses": self.grown(300)},
                "links": links, "memory": {"read_buffers": 131_072, "outbound_chunks": 4_200_000, "tables": 900_000}}

    def subjectz(self, query):
        depth = int(parse_qs(query).get("depth", ["0"])[0])
        names = [f"{kind}.{place}.{what}" for kind in ("orders", "payments", "telemetry.v2", "_INBOX") for place in ("eu", "us", "apac")
                 for what in ("created", "settled")] + [HOSTILE, "a.subject.that.goes.on.and.on.with.many.tokens.until.nobody.can.read.it.any.more"]
        rows = {}
        for at, name in enumerate(names):
            tokens = name.split(".")
            shown = name if depth == 0 or len(tokens) <= depth else ".".join(tokens[:depth]) + ".>"
            rows.setdefault(shown, self.subject(shown, at))
        return {**self.head(), "sample_every": 512, "error_bound_msgs": 12_400, "subjects": list(rows.values())}

    def subject(self, name, at):
        rate = 42_000 / (at + 1) ** 1.1
        return {"subject": name, "account": ACCOUNTS[at % 3], "in_msgs": self.grown(rate), "in_bytes": self.grown(rate * 170), "out_msgs": self.grown(rate * 2.2),
                "out_bytes": 1, "in_msgs_rate": rate, "in_bytes_rate": rate * 170, "last_seen": stamp(time.time() - at), "subscribers": at % 9 + 1}

    def slowz(self, _):
        one = {"ip": "10.4.0.17", "port": 50_122, "account": "SHOP", "core": 2}
        return {**self.head(), "num_slow": 2, "connections": [
            {**one, "cid": 88, "name": "audit-log", "pending_bytes": 48_220_100, "behind_ms": 3400, "stalls_caused": 812},
            {**one, "cid": 91, "name": HOSTILE, "pending_bytes": 1_204_000, "behind_ms": 120, "stalls_caused": 0}],
            "closed": [{"cid": 12, "name": "search-indexer", "ip": "10.4.0.3", "reason": "Slow Consumer (Pending Bytes)", "stop": stamp(time.time() - 754),
                        "pending_bytes": 67_108_864, "lost_msgs": 120_331}],
            "held_back": [{"cid": 7, "name": "checkout-api", "stalls": 812, "by": [88, 91]}]}

    def queuez(self, _):
        rows = [("billing", "orders.*.created", 12, 0.99), ("scoring", "payments.>", 4, 0.62), (HOSTILE, "telemetry.>", 3, 1.0), ("push", "notify.mobile", 1, 1.0)]
        return {**self.head(), "total": len(rows), "groups": [
            {"account": ACCOUNTS[at % 3], "subject": subject, "queue": queue, "members": members, "picks": self.grown(9000 / (at + 1)), "fairness": fairness,
             "members_by_core": [(members * (core + 1)) % 4 for core in range(self.cores)]} for at, (queue, subject, members, fairness) in enumerate(rows)]}

    def accountz(self, _):
        return {**self.head(), "system_account": "$SYS", "accounts": ACCOUNTS}

    def accstatz(self, _):
        def flow(rate):
            return {"msgs": self.grown(rate), "bytes": self.grown(rate * 170)}
        return {**self.head(), "account_statz": [
            {"acc": name, "conns": 20 * (at + 1), "num_subscriptions": 77 * (at + 1), "slow_consumers": at, "sent": flow(1000 * (at + 1)), "received": flow(500 * (at + 1))}
            for at, name in enumerate(ACCOUNTS)]}

    def connz(self, query):
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        closed = asked.get("state") == "closed"
        rows = [self.connection(cid, closed) for cid in range(1, self.connections + 1)]
        rows = [row for row in rows if asked.get("acc", row["name_tag"]) == row["name_tag"] and asked.get("cid", str(row["cid"])) == str(row["cid"])]
        natural = {"msgs_from": "in_msgs", "msgs_to": "out_msgs", "pending": "pending_bytes", "subs": "subscriptions"}.get(asked.get("sort"))
        if natural:
            rows.sort(key=lambda row: -row[natural])
        limit, offset = int(asked.get("limit", 1024)), int(asked.get("offset", 0))
        return {**self.head(), "num_connections": len(rows), "total": len(rows), "offset": offset, "limit": limit, "connections": rows[offset:offset + limit]}

    def connection(self, cid, closed):
        name = {3: HOSTILE, 4: TURNED, 5: ""}.get(cid, f"{NAMES[cid % len(NAMES)]}-{cid // len(NAMES)}")
        rate = 9000 / cid ** 0.8
        row = {"cid": cid, "kind": "Client", "type": "nats", "ip": f"10.4.{cid % 7}.{cid % 251}", "port": 40_000 + cid, "start": stamp(self.start),
               "last_activity": stamp(time.time()), "rtt": f"{120 + cid * 7}µs", "uptime": f"1d{cid % 24}h3m{cid % 60}s", "idle": f"{cid % 60}s",
               "pending_bytes": 48_220_100 if cid == 8 else 0, "in_msgs": self.grown(rate), "out_msgs": self.grown(rate * 2), "in_bytes": self.grown(rate * 160),
               "out_bytes": self.grown(rate * 320), "subscriptions": cid % 13, "name": name, "lang": ["go", "rust", "nats.js", "python3"][cid % 4],
               "version": "1.4" + str(cid % 9), "authorized_user": ["app", "ops", HOSTILE][cid % 3], "account": ACCOUNTS[cid % 3], "name_tag": ACCOUNTS[cid % 3],
               "subscriptions_list_detail": [{"subject": f"orders.{cid}.*", "sid": "1", "msgs": 4711, "cid": cid},
                                             {"subject": HOSTILE, "qgroup": "billing", "sid": "<b>2</b>", "msgs": 12, "cid": cid}]}
        if closed:
            row.update(stop=stamp(time.time() - 60 * cid), reason="Slow Consumer (Pending Bytes)" if cid % 5 == 0 else "Client Closed")
        return row
