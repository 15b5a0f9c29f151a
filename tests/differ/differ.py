#!/usr/bin/env python3
"""Compares Dunlin with nats-server in what a client can see: random dialogues from a seed, then checks that are written by hand.

    differ.py --dunlin PATH --peer PATH [--seed N] [--seconds N] [--cores N] [--only WORD]

Prints the seed, and for each difference the dialogue, made as short as it gets, and what both clients saw.
`exceptions.py` lists where Dunlin differs on purpose, and why.
"""

import argparse
import difflib
import os
import sys
import time

import checks
import dialogues
import exceptions
from play import play
from servers import LINE, Server, until

PATIENCE = 0.25
# For a second look: a slow machine is not a difference.
PATIENCE_AGAIN = 2.0
SHOWN_MAX = 20

CONFIGS = {
    "plain": "",
    "small_payload": "max_payload: 200\nmax_control_line: 1KB\n",
    "few_subscriptions": "max_subscriptions: 3\n",
    "few_tokens": "max_sub_tokens: 2\n",
    "no_header_support": "no_header_support: true\n",
}
FLAGS = ["-DV"]


class Pair:
    """Both servers under one configuration."""

    def __init__(self, arguments, config):
        own = ["--cores", str(arguments.cores)]
        self.wire_only = arguments.wire_only
        self.many_cores = arguments.cores > 1
        self.servers = [Server(path, FLAGS, config, own) for path in (arguments.peer, arguments.dunlin)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.end()

    def compare(self, dialogue, patience):
        """What differs, as text; None where nothing does."""
        views = []
        for server in self.servers:
            mark = len(server.lines)
            seen, cids = play(server.port, dialogue, patience)
            if self.many_cores:
                seen = [(exceptions.apart_from_no_responders(frames), closed) for frames, closed in seen]
            views.append(view(seen, [] if self.wire_only else [log_of(server, mark, cid) for cid in cids]))
        if views[0] == views[1]:
            return None
        return "\n".join(difflib.unified_diff(*views, "nats-server", "dunlin", lineterm="", n=2))


def log_of(server, mark, cid):
    """The lines about one connection, from its beginning to its end."""
    about = f" - cid:{cid} - "

    def lines():
        return [line for line in server.lines[mark:] if about in line]

    until(lambda: any("connection closed: " in line for line in lines()), 1)
    shown = []
    for line in lines():
        match = LINE.match(line)
        text = match["text"].split(about, 1)[1]
        for _, _, pattern, replacement in exceptions.LOG_REWRITES:
            text = pattern.sub(replacement, text)
        shown.append(f"[{match['level']}] {text}")
    return exceptions.arrange_log(shown)


def view(seen, logs):
    lines = []
    for number, (frames, closed) in enumerate(seen):
        lines += [f"client {number} sees {frame!r}" for frame in frames]
        lines.append(f"client {number} is {'closed' if closed else 'open'}")
    for number, log in enumerate(logs):
        lines += [f"client {number} log {line}" for line in log]
    return lines


def shorten(pair, dialogue):
    """Leaves out steps as long as the servers still differ."""
    steps = list(dialogue.steps)
    end = time.monotonic() + 8
    at = len(steps) - 1
    while at >= 0 and time.monotonic() < end:
        fewer = dialogues.Dialogue(dialogue.clients, steps[:at] + steps[at + 1 :])
        if pair.compare(fewer, PATIENCE):
            steps = fewer.steps
        at -= 1
    return dialogues.Dialogue(dialogue.clients, steps)


def random_dialogues(arguments):
    """As many as the time allows; the number of differences."""
    differences, played = 0, 0
    each = arguments.seconds / len(CONFIGS)
    for config_number, (name, config) in enumerate(CONFIGS.items()):
        if arguments.only and arguments.only not in name:
            continue
        with Pair(arguments, config) as pair:
            end = time.monotonic() + each
            number = 0
            while time.monotonic() < end and differences < arguments.differences_max:
                seed = arguments.seed * 1_000_003 + config_number * 100_000 + number
                if arguments.one is not None:
                    seed = arguments.one
                number += 1
                played += 1
                dialogue = dialogues.write(seed)
                if not pair.compare(dialogue, PATIENCE):
                    continue
                if not (difference := pair.compare(dialogue, PATIENCE_AGAIN)):
                    continue
                differences += 1
                short = shorten(pair, dialogue)
                difference = pair.compare(short, PATIENCE_AGAIN) or difference
                print(f"DIFFERENT: {name}, dialogue {seed}\n{short.shown()}\n{difference}\n", flush=True)
    print(f"{played} dialogues, {differences} differences, seed {arguments.seed}")
    return differences


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dunlin", required=True, type=os.path.abspath)
    parser.add_argument("--peer", required=True, type=os.path.abspath)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--one", type=int, help="play this dialogue only, again and again")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--differences_max", type=int, default=SHOWN_MAX)
    parser.add_argument("--only", default="")
    parser.add_argument("--wire_only", action="store_true", help="do not compare log lines")
    parser.add_argument("--no_checks", action="store_true")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, --cores {arguments.cores}", flush=True)
    for name, reason, *_ in exceptions.ALL:
        print(f"  differs on purpose: {name}: {reason}")
    differences = random_dialogues(arguments)
    if not arguments.no_checks:
        differences += checks.run_all(arguments)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
