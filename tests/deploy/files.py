"""Looks at the files of tools/deploy without running what they are for.

    files.py DUNLIN

Every YAML is linted; Kubernetes' manifests are built by kustomize, held against its schemas and against each other; compose files
against the Compose specification; the Dockerfile by hadolint; the unit by systemd-analyze; kernel settings against this kernel; the rules
by promtool; each server.conf by the server. A tool that is not on this machine is named as skipped.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "tools/deploy"
BIN = pathlib.Path(sys.executable).parent
# What `systemd-analyze security` may find: tenths. What is left is that it is there for the network, and unix sockets.
EXPOSURE_MAX = 15
# A lame duck's end beyond its two periods.
END_SECONDS = 2
YAMLLINT = "{extends: default, rules: {line-length: {max: 150}, document-start: disable, braces: {max-spaces-inside: 0}, truthy: {check-keys: false}}}"

passed = 0


class Wrong(Exception):
    """What is wrong, for people."""


def check(name, condition, why=""):
    global passed
    if not condition:
        raise Wrong(f"{name}: {why}" if why else name)
    passed += 1


def run(name, command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    check(name, done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def skip(what):
    print(f"SKIPPED: {what}")


def yaml_is_clean():
    files = sorted(DEPLOY.rglob("*.yaml"))
    check("there are YAML files", len(files) > 8)
    run("yamllint", [BIN / "yamllint", "--strict", "--config-data", YAMLLINT, *files])


def dockerfile_is_clean():
    run("hadolint", [BIN / "hadolint", DEPLOY / "container/Dockerfile"])
    for name in ("compose", "stack"):
        file = DEPLOY / f"container/{name}.yaml"
        run(f"{name}.yaml", [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", file])
        service = yaml.safe_load(file.read_text())["services"]["dunlin"]
        needed = lame_duck_seconds(DEPLOY / "container/server.conf") + END_SECONDS
        check(f"{name}.yaml waits for lame duck mode", seconds(service["stop_grace_period"]) > needed)
    text = (DEPLOY / "container/Dockerfile").read_text()
    kept = re.findall(r"^!(.*)$", (DEPLOY / "container/Dockerfile.dockerignore").read_text(), re.M)
    check("the build has its sources", kept and all((DEPLOY.parents[1] / name).exists() for name in kept), kept)
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.M):
        check(f"the Dockerfile copies {source}", source == "." or (DEPLOY.parents[1] / source).is_file())


def seconds(text):
    """Of `2m`, `30s` and the like."""
    found = re.fullmatch(r"(\d+)(s|m)", text)
    check(f"a duration: {text}", found is not None)
    return int(found[1]) * {"s": 1, "m": 60}[found[2]]


def lame_duck_seconds(conf):
    text = conf.read_text() if isinstance(conf, pathlib.Path) else conf
    periods = re.findall(r'^lame_duck_(?:grace_period|duration): "(\w+)"', text, re.M)
    check("server.conf says both periods of lame duck mode", len(periods) == 2)
    return sum(map(seconds, periods))


def kustomized(folder):
    """The manifests of an overlay; None where there is no kustomize."""
    for command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(command[0]):
            return run(f"kustomize {folder.name}", [*command, folder])
    return None


def references_resolve(folder):
    """What a kustomization names is there, for machines without kustomize."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    named = list(kustomization["resources"])
    named += [patch["path"] for patch in kustomization.get("patches", []) if "path" in patch]
    named += [file for generator in kustomization.get("configMapGenerator", []) for file in generator["files"]]
    for name in named:
        check(f"{folder.name} names {name}", (folder / name).exists())
    left = {file.name for file in folder.iterdir()} - {"kustomization.yaml", *named}
    check(f"{folder.name} uses all of its files", not left, f"left over: {left}")


def manifests_hold(dunlin):
    folders = [DEPLOY / "kubernetes/base", *sorted((DEPLOY / "kubernetes/overlays").iterdir())]
    check("there are overlays", len(folders) >= 4)
    for folder in folders:
        references_resolve(folder)
        text = kustomized(folder)
        if text is None:
            skip(f"no kustomize and no kubectl here: {folder.name} is not built, only its references are looked at")
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            # Kinds of others than Kubernetes itself have no schema; `monitors_find_pages` looks at ours.
            run(f"schemas of {folder.name}", [BIN / "kubernetes-validate", "--strict", "--quiet", "--no-warn", file.name])
        of_kind = {}
        for manifest in yaml.safe_load_all(text):
            of_kind.setdefault(manifest["kind"], []).append(manifest)
        pod_holds(folder.name, of_kind, dunlin)
        selectors_hold(folder.name, of_kind)


def pod_holds(name, of_kind, dunlin):
    (stateful,), (config,) = of_kind["StatefulSet"], of_kind["ConfigMap"]
    pod = stateful["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    conf = config["data"]["server.conf"]
    needed = lame_duck_seconds(conf) + END_SECONDS
    check(f"{name}: the pod's end has time for lame duck mode", pod["terminationGracePeriodSeconds"] > needed, f"needs {needed} s")
    check(f"{name}: preStop is lame duck mode", container["lifecycle"]["preStop"]["exec"]["command"] == ["dunlin", "-sl", "ldm=1"])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    check(f"{name}: ports are those of server.conf", set(map(int, re.findall(r":(\d+)\"", conf))) == set(ports.values()))
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        check(f"{name}: {probe}", container[probe]["httpGet"]["port"] in ports)
    check(f"{name}: readiness", container["readinessProbe"]["httpGet"]["path"] == "/healthz")
    mounted = {volume["configMap"]["name"] for volume in pod["volumes"]}
    check(f"{name}: the configuration is mounted", mounted == {config["metadata"]["name"]})
    check(f"{name}: not root, nothing written", pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"])
    (headless,) = [service for service in of_kind["Service"] if service["spec"].get("clusterIP") == "None"]
    check(f"{name}: the set has its service", stateful["spec"]["serviceName"] == headless["metadata"]["name"])
    if name in ("production", "monitored"):
        resources = container["resources"]
        check(f"{name}: whole CPUs of its own", resources["requests"] == resources["limits"] and resources["limits"]["cpu"].isdigit())
        check(f"{name}: nobody evicts it", len(of_kind.get("PodDisruptionBudget", [])) == 1)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "server.conf"
        file.write_text(conf)
        flags = [str(file) if flag == "/etc/dunlin/server.conf" else flag for flag in container["args"]]
        run(f"{name}: the server takes its flags and file", [dunlin, *flags, "-t"])


def selectors_hold(name, of_kind):
    """Whatever selects finds what it is meant to: an empty selector would take every pod there is."""
    pod = of_kind["StatefulSet"][0]["spec"]["template"]
    labels = pod["metadata"]["labels"]
    ports = {port["name"] for container in pod["spec"]["containers"] for port in container["ports"]}
    selecting = [(m, m["spec"]["selector"]) for m in of_kind["Service"]]
    selecting += [(m, m["spec"]["selector"]["matchLabels"]) for kind in ("StatefulSet", "PodDisruptionBudget") for m in of_kind.get(kind, [])]
    for manifest, selector in selecting:
        check(f"{name}: the selector of {manifest['kind']}", selector and selector.items() <= labels.items(), str(selector))
    for service in of_kind["Service"]:
        for port in service["spec"]["ports"]:
            check(f"{name}: {port['name']} of a service", port["targetPort"] in ports)
    for monitor in of_kind.get("ServiceMonitor", []):
        selector = monitor["spec"]["selector"]["matchLabels"]
        found = [s for s in of_kind["Service"] if selector.items() <= s["metadata"]["labels"].items()]
        check(f"{name}: one service is monitored", selector and len(found) == 1)
        names = {port["name"] for port in found[0]["spec"]["ports"]}
        check(f"{name}: its pages have a port", {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= names)
    check(f"{name}: monitored has its monitor", name != "monitored" or len(of_kind.get("ServiceMonitor", [])) == 1)


def configurations_are_right(dunlin):
    for file in sorted(DEPLOY.rglob("server.conf")):
        run(f"{file}", [dunlin, "-c", file, "-t"])


def unit_is_right(dunlin):
    unit = DEPLOY / "systemd/dunlin.service"
    command = re.search(r"^ExecStart=/usr/local/bin/dunlin (.*)$", unit.read_text(), re.M)
    check("the unit starts the server", command is not None)
    conf = DEPLOY / "container/server.conf"
    run("the unit's flags", [dunlin, *command[1].replace("/etc/dunlin/server.conf", str(conf)).split(), "-t"])
    if not shutil.which("systemd-analyze"):
        skip("no systemd-analyze here: the unit is not looked at")
        return
    version = int(re.search(r"systemd (\d+)", run("version", ["systemd-analyze", "--version"]))[1])
    with tempfile.TemporaryDirectory() as folder:
        # As it will be, but with a program that is here.
        copy = pathlib.Path(folder) / "dunlin.service"
        text = unit.read_text().replace("/usr/local/bin/dunlin", str(dunlin))
        copy.write_text(text)
        if version < 253:
            drop_in = copy.with_suffix(".service.d")
            drop_in.mkdir()
            shutil.copy(DEPLOY / "systemd/older-systemd.conf", drop_in)
        said = run("systemd-analyze verify", ["systemd-analyze", "verify", copy]).splitlines()
        # What the unit says of old versions.
        expected = "Failed to parse service type, ignoring: notify-reload"
        wrong = [line for line in said if "dunlin.service" in line and not (version < 253 and expected in line)]
        check("systemd takes every line", not wrong, "\n".join(wrong))
    said = run("systemd-analyze security", ["systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit])
    print(said.strip().splitlines()[-1].replace("→ ", "dunlin.service: "))


def host_settings_are_right():
    for line in settings("host/90-dunlin.sysctl.conf"):
        found = re.fullmatch(r"([a-z0-9_.-]+) = \d+( \d+)*", line)
        check("a kernel setting", found is not None, line)
        if not pathlib.Path("/proc/sys", found[1].replace(".", "/")).exists():
            skip(f"this kernel shows no {found[1]}")
    for line in settings("host/90-dunlin.limits.conf"):
        check("a limit", re.fullmatch(r"dunlin +(soft|hard) +(nofile|core) +\d+", line), line)


def settings(name):
    lines = [line.strip() for line in (DEPLOY / name).read_text().splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    check(f"{name} says something", lines)
    return lines


def rules_are_right():
    if not shutil.which("promtool"):
        skip("no promtool here: the rules are not looked at")
        return
    run("promtool", ["promtool", "check", "rules", DEPLOY / "prometheus/alerts.yaml"])


def main():
    dunlin = pathlib.Path(sys.argv[1]).resolve()
    yaml_is_clean()
    dockerfile_is_clean()
    configurations_are_right(dunlin)
    manifests_hold(dunlin)
    unit_is_right(dunlin)
    host_settings_are_right()
    rules_are_right()
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    try:
        main()
    except Wrong as wrong:
        print(f"WRONG: {wrong}")
        print(f"{passed} passed, 1 failed")
        sys.exit(1)
