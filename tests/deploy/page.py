"""Holds tools/deploy/operations.md, and the alerts, to the programs: what is named there exists.

    page.py DUNLIN DUNLINCTL

Commands are asked for their help and must know the flags that stand behind them; metrics are looked for on a running server's
page; keys in the sources of the configuration; files, unit settings and links where they should be.
"""

import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "tools/deploy"
PAGE = DEPLOY / "operations.md"
DEADLINE = 30.0
METRIC = re.compile(r"\b(?:dunlin|gnatsd)_[a-z0-9_]+")
KEY = re.compile(r"[a-z]+(?:_[a-z]+)+")
# Words of that form that are neither keys nor flags: of the kernel, and of Kubernetes and compose files.
OTHERS = {"tcp_wmem", "stop_grace_period", "prof_port"}


def help_of(*command):
    done = subprocess.run([str(part) for part in [*command, "--help"]], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, f"{command[1:]} is no command: {done.stderr}"
    return done.stdout


def commands(text):
    """What a reader would type: lines of code blocks, and code within lines."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.S):
        yield from (line.split("#")[0].strip() for line in block.splitlines())
    for inline in re.findall(r"`([^`\n]+)`", text):
        yield from (part.strip() for part in inline.split("&&"))


def flags(words):
    return {re.split("[=]", word)[0] for word in words if re.match(r"-{1,2}[a-zA-Z]", word)}


def commands_exist(text, dunlin, dunlinctl):
    seen = 0
    own = help_of(dunlin)
    for command in commands(text):
        words = [word for word in shlex.split(command) if word != "…"]
        # A program in a pod.
        if "--" in words and words[0] == "kubectl":
            words = words[words.index("--") + 1 :]
        if words[:1] == ["dunlin"]:
            for flag in flags(words):
                assert re.search(rf"(^|[\s,]){re.escape(flag)}\b", own), f"`{command}`: {flag}"
            seen += 1
        elif words[:1] == ["dunlinctl"]:
            tool = []
            for word in words[1:]:
                if not re.fullmatch(r"[a-z][a-z-]*", word) or word in ("nats-server", "pubsub") or len(tool) == 3:
                    break
                tool.append(word)
            # Behind `--`, a command of `bench` has flags of its own.
            before = words[: words.index("--")] if "--" in words else words
            known = help_of(dunlinctl, *tool) + (help_of(dunlinctl, tool[0]) if tool else "")
            for flag in flags(before):
                assert re.search(rf"(^|[\s,\[]){re.escape(flag)}\b", known), f"`{command}`: {flag}"
            seen += 1
        elif len(words) == 1 and re.fullmatch(r"--[a-z_]+(=.*)?", words[0]):
            assert flags(words).pop() in own, f"`{command}` is no flag"
            seen += 1
    assert seen > 20, seen
    return seen


def metrics_exist(texts, dunlin):
    page = metrics_page(dunlin)
    known = set(METRIC.findall(page))
    named = {name for text in texts for name in METRIC.findall(text)} - {"dunlin_"}
    missing = {name for name in named if name not in known}
    assert not missing, f"no such metrics: {missing}"
    assert len(named) > 15
    return len(named)


def metrics_page(dunlin):
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        with log.open("wb") as out:
            server = subprocess.Popen([dunlin, "-a", "127.0.0.1", "-p", "-1", "-m", "-1"], stderr=out)
        try:
            end = time.monotonic() + DEADLINE
            while not (found := re.search(r"Starting http monitor on (127\.0\.0\.1:\d+)", log.read_text())):
                assert time.monotonic() < end and server.poll() is None, log.read_text()
                threading.Event().wait(0.01)
            return urllib.request.urlopen(f"http://{found[1]}/metrics", timeout=DEADLINE).read().decode()
        finally:
            server.kill()
            server.wait()


def keys_exist(text, dunlin):
    sources = "\n".join(file.read_text() for file in (ROOT / "src/config").rglob("*.rs"))
    named = {name for name in re.findall(r"`([^`\n]+)`", text) if KEY.fullmatch(name)} - OTHERS
    for name in named:
        is_metric = METRIC.fullmatch(name)
        assert is_metric or f'"{name}"' in sources, f"`{name}` is no key"
    return len(named)


def files_exist(text):
    named = re.findall(r"`((?:systemd|host|logrotate|container|kubernetes|prometheus|tests)/[\w./-]+)`", text)
    named += [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    # Written by its own generator.
    named = [name for name in named if name != "configuration.md" or (DEPLOY / name).exists()]
    for name in named:
        assert (DEPLOY / name).exists() or (ROOT / name).exists(), f"{name} is not there"
    every = {file.relative_to(DEPLOY) for file in DEPLOY.rglob("*") if file.is_file() and file.parent != DEPLOY}
    silent = {str(file) for file in every if not any(str(file).startswith(name) for name in named)}
    silent -= {"container/Dockerfile.dockerignore", "container/server.conf"}
    assert not silent, f"operations.md does not say what these are for: {silent}"
    return len(named)


def unit_settings_exist(text):
    unit = (DEPLOY / "systemd/dunlin.service").read_text()
    named = set(re.findall(r"`([A-Z]\w+)=\w*`", text))
    for name in named:
        assert f"{name}=" in unit, f"the unit says nothing of {name}="
    return len(named)


def main():
    dunlin, dunlinctl = (pathlib.Path(program).resolve() for program in sys.argv[1:])
    text = PAGE.read_text()
    alerts = (DEPLOY / "prometheus/alerts.yaml").read_text()
    passed = commands_exist(text, dunlin, dunlinctl) + metrics_exist([text, alerts], dunlin)
    passed += keys_exist(text, dunlin) + files_exist(text) + unit_settings_exist(text)
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
