"""Where Dunlin differs on purpose: a name, the reason, and how it is recognised or made the same."""

import re

# Applied to log lines of both servers before they are compared: (name, reason, pattern, replacement).
LOG_REWRITES = [
    (
        "parser_state",
        "the peer tells the number of its parser's state and its place in the buffer, which depend on how it parses",
        re.compile(r"parser ERROR, state=\d+, i=\d+: proto='.*$", re.S),
        "parser ERROR",
    ),
    (
        "json_error",
        "the peer logs what the JSON package of its language says of a CONNECT or INFO that is none; Dunlin says it in its own words",
        re.compile(r"(json: cannot |invalid character |unexpected end of JSON |INFO is not|CONNECT is not|A field of CONNECT).*$", re.S),
        "JSON error",
    ),
    (
        "connect_without_body",
        "the peer traces the CR of a CONNECT without a body",
        re.compile(r"\[CONNECT \r\]$"),
        "[CONNECT ]",
    ),
    (
        "secrets",
        "Dunlin hides every secret of a CONNECT in its trace, and whatever cannot be told from one; the peer some",
        re.compile(r"<<- \[CONNECT .*\"(user|pass|nkey|jwt|sig|auth_token)\".*$", re.S),
        "<<- [CONNECT with secrets]",
    ),
    (
        "connect_of_none",
        "what follows CONNECT and is no JSON object is hidden as a whole in Dunlin's trace: it may be a secret that went astray",
        re.compile(r"<<- \[CONNECT (\[REDACTED\]|\[\]|null|\d*|\{|\{\} x)\]$"),
        "<<- [CONNECT of no object]",
    ),
    (
        "object_that_strayed",
        "a JSON object where none belongs may be a CONNECT that lost its beginning: Dunlin's log hides it to the end of the line",
        re.compile(r"^((?!.*CONNECT).*?)(\{|\[REDACTED\]).*$", re.S),
        r"\1hidden",
    ),
    ("size_as_written", "as on the wire", re.compile(r"(?<=->> \[)(H?MSG .*)$", re.S), lambda match: re.sub(r" 0+(?=\d)", " ", match[1])),
]

# (name, reason): made the same in `arrange_log`.
LOG_BYTES = [
    ("full_told_once", "that a connection has all its subscriptions the peer logs now and then, Dunlin once a connection"),
    ("control_bytes", "the peer writes control bytes of clients into its log; Dunlin escapes them, so nobody forges a line (NAT-01-001)")]

# (name, reason): not played.
NOT_PLAYED = [
    ("err_from_client", "the peer still acts on what it has read behind an -ERR that ends the connection; Dunlin does not"),
    ("label_of_refused_login", "the label of a connection whose first CONNECT is refused has no login in it"),
    ("stale_traced", "the -ERR of a stale connection is in Dunlin's trace"),
    ("hmsg_from_client", "the peer takes HMSG of a client where both sizes are 0, and delivers nothing; to Dunlin no client may say it"),
]

# (name, reason): made the same in `play.py`.
MADE_THE_SAME = [
    ("size_as_written", "the peer repeats the size with the zeros in front that the publisher wrote; Dunlin writes the number"),
    (
        "no_responders_late",
        "that nobody got a request may be known only to another core, which has just lost its last subscriber: its 503 can come"
        " behind the PONG then; played on one core, the order is compared",
    ),
    ("which_inbox", "of several subscriptions of a requester that match its inbox either server chooses one for the 503"),
    (
        "complaint_repeated",
        "the peer looks at the subject before the payload is there: where its read ends within a payload it complains twice to a pedantic client",
    ),
    ("complaint_early", "for the same reason it complains of a message that never becomes whole; Dunlin judges whole operations"),
]

ALL = [*LOG_BYTES, *MADE_THE_SAME, *LOG_REWRITES, *NOT_PLAYED]


AUTO_UNSUBSCRIBE = "Auto-unsubscribe limit of "
# Subscriptions that end together; copies of one message for several subscriptions of a client.
IN_NO_ORDER = ["<-> [DELSUB ", "->> [MSG ", "->> [HMSG ", "->> MSG_PAYLOAD: "]
FULL = " maximum subscriptions exceeded"
EARLY = "->> [-ERR Invalid Publish Subject]"


def escaped(text):
    """The exception `control_bytes`, as Dunlin shows them."""
    named = {"\t": "\\t", "\r": "\\r", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\a": "\\a", "\b": "\\b"}
    return "".join(named.get(c, f"\\x{ord(c):02x}") if c < " " or c == "\x7f" else c for c in text)


def apart_from_no_responders(frames):
    """What a client of several cores saw, with the 503s at the end: the exception `no_responders_late`."""
    told = [b"NATS/1.0 503\r\nNats-Subject: " in frame for frame in frames]
    return [f for f, is_told in zip(frames, told) if not is_told] + [f for f, is_told in zip(frames, told) if is_told]


def arrange_log(lines):
    """The lines about one connection in an order that both servers can be held to."""
    lines = [escaped(line) for line in lines if not line.endswith(EARLY)]  # `complaint_early`
    last = max((at for at, line in enumerate(lines) if "<<- " in line), default=0)
    # Of subscriptions that end with their connection: how many of these lines are there already is chance.
    lines = [line for at, line in enumerate(lines) if at < last or "<-> [DELSUB " not in line]
    lines = [line for line in lines if not line.endswith(FULL)]  # `full_told_once`
    limits = sorted(line for line in lines if AUTO_UNSUBSCRIBE in line)  # before or after what was delivered
    lines = [line for line in lines if AUTO_UNSUBSCRIBE not in line]
    arranged, run = [], []
    for line in [*lines, None]:
        if line and any(part in line for part in IN_NO_ORDER):
            run.append(line)
        elif run and line and line.endswith("->> [OK]"):
            arranged.append(line)  # of a CONNECT that ends subscriptions: before or after
        else:
            arranged += [*sorted(run), line]
            run = []
    return arranged[:-1] + limits


# (name, reason, pattern, replacement): applied to texts of the checks that are written by hand.
CHECKS = [
    ("program_name", "Dunlin is called dunlin, and looks for processes of that name", re.compile(r"\b(dunlin|nats-server)\b"), "PROGRAM"),
    ("own_version", "a second line of --version says Dunlin's own", re.compile(r"^PROGRAM: v0.*\n", re.M), ""),
    ("profiler", "the profiler of nats-server is not here; its port is taken and ignored", re.compile(r" \(accepted and ignored\)"), ""),
]
# (name, reason): differences that the checks do not look at.
NOT_CHECKED = [
    ("wrong_flag", "a wrong flag or value ends with exit code 1; the peer says 0"),
    ("signal_checked_first", "-sl with an unknown signal says so even where no server runs, or several do"),
    ("signal_to_groups", "-sl refuses 0 and negative numbers, which are groups to the kernel"),
    ("banner", "the banner says Dunlin's version, its cores and their CPUs; a port out of range is refused before it"),
    ("help_tls", "--help_tls shows the suites and curves that Dunlin has"),
    ("advertised_port", "a port of client_advertise above 65535 is refused; the peer tells it to clients"),
    ("system_lines", "the peer logs the end of its internal system client and of its accept loop"),
    ("first_ping_jitter", "the peer adds a random part to the two seconds before the first PING"),
    ("quit_trace", "at SIGQUIT the peer's runtime prints its stacks"),
]
ALL += [*CHECKS, *NOT_CHECKED]


def rewrite_check(text):
    for _, _, pattern, replacement in CHECKS:
        text = pattern.sub(replacement, text)
    return text
