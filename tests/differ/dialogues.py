"""Random dialogues from a seed: what up to four clients send, step by step.

Queue groups have one member each, so that what comes is decided. Every message has a number in it, so that its copies are known.
"""

import json
import random
from dataclasses import dataclass, field

TOKENS = ["a", "b", "c", "aa", "é", "$", "_R", "0"]
ODD_SUBJECTS = [
    ".", "..", ".a", "a.", "a..b", "a.*b", "a*.b", "a.>.b", "a>", ">a", "*", ">", "*.*", "*.>", "a.>", "$SYS.x", "$SYS.>", "$G.a",
    "_INBOX.x.y", "_R_.x", "_R_.", "_R_", "_R_.a.b", "$JS.ACK.x", "$JS.ACK.", "$JS.ACK", "$JS.API.INFO", "_GR_.x", "_GR_.", "_GR_",
    "$GR.x", "$GNR.x", "$NRG.x", "$MQTT.x", "$KV.x.y", "a\x01b", "a\x00b", "a\x7f", "A", "'a'", '"a"', "a\\b", "{a}", "a,b", "$JSC.R.x", "$JS.FC.a",
]  # fmt: skip
NUMBERS = ["0", "1", "2", "3", "5", "01", "007", "+1", "-1", "1.0", "0x1", "1a", "a", "999999999", "1000000000", "99999999999999999999"]
BLANKS = [" ", " ", " ", " ", "  ", "\t", " \t "]
LINE_ENDS = ["\r\n"] * 12 + ["\n", " \r\n", "\t\r\n"]
HEADER_BLOCKS = [
    "NATS/1.0\r\n\r\n", "NATS/1.0\r\nA: b\r\n\r\n", "NATS/1.0\r\nA: b\r\nA: c\r\n\r\n", "NATS/1.0 503\r\n\r\n", "NATS/1.0 404 No\r\nX:\r\n\r\n",
    "NATS/1.0", "garbage", "", "\r\n\r\n", "NATS/1.0\r\nNats-Trace-Only: 1\r\n\r\n", "NATS/1.0\r\nNats-Subject: q\r\n\r\n",
]  # fmt: skip
FIELDS = {
    "verbose": [True, False], "pedantic": [True, False], "echo": [True, False], "headers": [True, False],
    "no_responders": [True, False], "protocol": [0, 1], "name": ["n", "", "a b", "\u00fc"], "lang": ["py", ""], "version": ["1.2", ""],
    "ssl_required": [False], "tls_required": [True, False], "unknown": [1, None],
}  # fmt: skip
ODD_VALUES = [None, 1, -1, 2, 1.5, "", "x", "true", [], {}, True, False]
MALFORMED = [
    "FOO\r\n", "\r\n", "\n", " \r\n", "PUB\r\n", "PUB a\r\n", "PUBa 0\r\n\r\n", "SUB\r\n", "SUB a\r\n", "SUBa 1\r\n", "SUB a b c d\r\n",
    "UNSUB\r\n", "UNSUB 1 2 3\r\n", "HPUB a\r\n", "HPUB a 1\r\n", "HPUB\r\n", "MSG a 1 0\r\n\r\n", "PIN\r\n", "PINGG\r\n",
    "PONGG\r\n", "+OK\r\n", "+OKK\r\n", "+FOO\r\n", "-ERR\r\n", "-FOO\r\n", "INFO\r\n", "INFO {}\r\n", "INFO {\r\n", "INFO null\r\n", "INFO 1\r\n",
    "INFO {\"a\":1}\r\n", "CONNECT\r\n", "CONNECT \r\n", "CONNECT {\r\n", "CONNECT []\r\n", "CONNECT null\r\n", "CONNECT 1\r\n", "CONNECT {} x\r\n", "CONNECT{}\r\n",
    "CONNECT\t{}\r\n", "A+ x\r\n", "A- x\r\n", "RS+ a b\r\n", "RS- a b\r\n", "LS+ a\r\n", "LS- a\r\n", "RMSG a b 0\r\n\r\n", "LMSG a 0\r\n\r\n", "PUB a b c 0\r\n\r\n", "PUB a 2\r\nabc\r\n",
    "PUB a 3\r\nab\r\n\r\n", "PUB a 1\r\nab\r\n", "PUB a 2\nab\n", "PUB a 2\nab\r\n", "ping\r\n", "Ping\r\n", "PING x\r\n", "PONG x\r\n", "PING\n", "pub a 0\r\n\r\n", "Sub a 1\r\n",
    "sub a 1\r\n", "unsub 1\r\n", "hpub a 12 12\r\nNATS/1.0\r\n\r\n\r\n", "connect {}\r\n", "Connect {}\r\n", "info {}\r\n", "\x00\r\n", "\xff\r\n", "QUIT\r\n", "GET / HTTP/1.1\r\n\r\n",
    "PUB\ta\t0\r\n\r\n", "SUB\ta\t1\r\n", "PUB a -1\r\n", "UNSUB\t1\r\n", "PING \r\n", "PING\r\r\n", "PUB a 0\r\r\n\r\n", "SUB a\r b 1\r\n", "PUB a 0 \r\n\r\n",
]  # fmt: skip


@dataclass
class Dialogue:
    clients: int
    steps: list = field(default_factory=list)

    def shown(self):
        return "\n".join(f"    {number}: {data[:300]!r}" for number, data in self.steps)


class Writer:
    """Writes one dialogue."""

    def __init__(self, seed, calm):
        self.random = random.Random(seed)
        # A calm dialogue has few things in it that end a connection.
        self.calm = calm
        self.message = 0
        self.groups = 0

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def pick(self, values):
        return self.random.choice(values)

    def subject(self, wild):
        if self.chance(12):
            return self.pick(ODD_SUBJECTS)
        tokens = [self.pick(TOKENS[:3] if self.chance(85) else TOKENS) for _ in range(self.pick([1, 1, 2, 2, 3, 6]))]
        if wild and self.chance(45):
            tokens[self.random.randrange(len(tokens))] = "*"
            if self.chance(40):
                tokens[-1] = ">"
        return ".".join(tokens)

    def sid(self):
        return self.pick(["1", "2", "3", "4", "5", "x", "01", "9999999999999", "é"])

    def line(self, verb, *words):
        return verb + self.pick(BLANKS) + self.pick(BLANKS).join(words) + self.pick(LINE_ENDS)

    def verb(self, name):
        return name if self.chance(95) else self.pick([name.lower(), name.capitalize()])

    def sub(self):
        words = [self.subject(True)]
        if self.chance(25):
            self.groups += 1
            words.append(f"q{self.groups}" if self.chance(90) else self.pick(["*.q", ">", "a.b", "q."]) + str(self.groups))
        return self.line(self.verb("SUB"), *words, self.sid())

    def unsub(self):
        words = [self.sid()]
        if self.chance(60):
            words.append(self.pick(["1", "2", "3"]) if self.chance(80) else self.pick(NUMBERS))
        return self.line(self.verb("UNSUB"), *words)

    def payload(self):
        self.message += 1
        return self.pick(["", "x", "hello ", "y" * 30, "\r\n", "z" * 300, "+OK\r\n"]) + f"#{self.message}"

    def names(self):
        names = [self.subject(self.chance(10))]
        if self.chance(35):
            names.append(self.subject(self.chance(10)))
        return names

    def pub(self):
        payload = self.payload()
        size = str(len(payload.encode()))
        if not self.calm and self.chance(6):
            size = self.pick(NUMBERS)
        elif self.chance(4):
            size = "0" + size
        return self.line(self.verb("PUB"), *self.names(), size) + payload + "\r\n"

    def hpub(self):
        payload, block = self.payload(), self.pick(HEADER_BLOCKS)
        sizes = [str(len(block)), str(len(block) + len(payload.encode()))]
        if not self.calm and self.chance(8):
            sizes[self.pick([0, 1])] = self.pick(NUMBERS)
        return self.line(self.verb("HPUB"), *self.names(), *sizes) + block + payload + "\r\n"

    def connect(self, odd=0):
        options = {name: self.pick(values) for name, values in FIELDS.items() if self.chance(35)}
        options.setdefault("verbose", self.chance(20))
        options.setdefault("pedantic", self.chance(30))
        if self.calm and options.get("no_responders"):
            options["headers"] = True
        if self.chance(odd):
            options[self.pick([*FIELDS, "account", "jwt", "sig", "pass"])] = self.pick(ODD_VALUES)
        return "CONNECT " + json.dumps(options, ensure_ascii=self.chance(50)) + "\r\n"

    def large(self):
        kind = self.pick(["sub", "pub", "size", "unsub", "connect"])
        count = self.pick([100, 500, 1020, 1024, 1030, 4090, 4096, 5000])
        long = "a" * count
        return {
            "sub": f"SUB {long} 1\r\n",
            "pub": f"PUB {long} 0\r\n\r\n",
            "size": f"PUB a {count}\r\n{long}\r\n",
            "unsub": f"UNSUB {long}\r\n",
            "connect": f'CONNECT {{"verbose":false,"name":"{long}"}}\r\n',
        }[kind]

    def operation(self):
        roll = self.random.random() * 100
        if roll < 34:
            return self.sub()
        if roll < 66:
            return self.pub()
        if roll < 76:
            return self.unsub()
        if roll < 86:
            return self.hpub()
        if roll < 88:
            return self.pick(["PING\r\n", "PONG\r\n", "PING\r\nPING\r\n"])
        if roll < 93:
            return self.connect(0 if self.calm else 20)
        if self.calm:
            return self.sub()
        return self.large() if roll < 95 else self.pick(MALFORMED)

    def dialogue(self):
        dialogue = Dialogue(self.pick([1, 2, 2, 3, 4]))
        for number in range(dialogue.clients):
            if self.chance(92):
                dialogue.steps.append((number, self.connect(0 if self.calm else 10).encode()))
        for _ in range(self.pick([4, 8, 16, 30])):
            count = self.pick([1, 1, 1, 2, 4])
            data = "".join(self.operation() for _ in range(count))
            dialogue.steps.append((self.random.randrange(dialogue.clients), data.encode()))
        return dialogue


def write(seed):
    """The dialogue of a seed."""
    return Writer(seed, calm=seed % 2 == 0).dialogue()
