"""Everything a developer runs, from a bare Python: makes .venv when needed, installs, then runs.

python3 dev.py demo   a backtest of synthetic quotes, end to end (--data PATH: of your own files)
python3 dev.py test   all tests with coverage (--long: also the long campaigns; other options go to pytest)
python3 dev.py bench  every figure of docs/performance.md (--quick: small sizes; names choose parts; --json, --docs)
python3 dev.py lint   ruff, ruff format, mypy

Standard library only; Linux, macOS and Windows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "bitten-install.json"  # what is installed, and from which setup.cfg
OLDEST = (3, 11)
EXTRAS = {
    "demo": (),
    "bench": (),
    "test": ("research", "test"),
    "lint": ("lint", "test"),  # mypy reads bitten.testing, which needs pytest
}
OFFLINE = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ProxyError", "Network is unreachable")


class DevError(Exception):
    """Something the developer must do first; printed as it is."""


def main(arguments: list[str]) -> int:
    """Run one task and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=sorted(EXTRAS), metavar="{demo,test,bench,lint}")
    task, rest = parser.parse_args(arguments[:1]).task, arguments[1:]  # what follows is for the task alone
    try:
        python = environment(EXTRAS[task])
        return max(run(python, command) for command in commands(task, rest))
    except DevError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dev.py: interrupted", file=sys.stderr)
        return 130


def commands(task: str, rest: list[str]) -> list[list[str]]:
    """What a task runs, as arguments of the environment's python; all run, even if one fails."""
    if task == "demo":
        return [["-m", "bitten", "demo", *rest]]
    if task == "bench":
        return [["-m", "benchmarks", *rest]]
    if task == "lint":
        return [["-m", "ruff", "check", *rest], ["-m", "ruff", "format", "--check"], ["-m", "mypy"]]
    selection = [] if "--long" in rest or "-m" in rest else ["-m", "not long"]
    side_by_side = [] if "-n" in rest else ["-n", "auto", "--dist", "worksteal"]  # one process for each core
    return [["-m", "pytest", "--cov", *side_by_side, *selection, *(option for option in rest if option != "--long")]]


def run(python: Path, command: list[str]) -> int:
    """Run in the environment, from the root of the tree."""
    print("+ python " + " ".join(f'"{word}"' if " " in word else word for word in command), flush=True)
    return subprocess.call([str(python), *command], cwd=ROOT)


def environment(extras: tuple[str, ...]) -> Path:
    """The python of .venv, with bitten and these extras installed as setup.cfg says now."""
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        create(interpreter())
    facts = installed()
    wanted = sorted({*facts["extras"], *extras})
    if facts["digest"] != digest() or facts["extras"] != wanted:
        install(python, wanted)
        STAMP.write_text(json.dumps({"digest": digest(), "extras": wanted}), encoding="utf-8")
    return python


def installed() -> dict[str, Any]:
    """What the stamp says; nothing where there is none or it cannot be read."""
    try:
        facts = json.loads(STAMP.read_text(encoding="utf-8"))
        return {"digest": str(facts["digest"]), "extras": sorted(facts["extras"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"digest": "", "extras": []}


def digest() -> str:
    """Of the files that decide what an installation holds."""
    both = b"".join((ROOT / name).read_bytes() for name in ("setup.cfg", "pyproject.toml"))
    return hashlib.sha256(both + str(ROOT).encode()).hexdigest()


def interpreter() -> str:
    """A python that is new enough: this one, or the newest on the path."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for minor in range(19, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    raise DevError(
        f"this is Python {sys.version_info[0]}.{sys.version_info[1]}, bitten needs 3.11 or newer and none was found on "
        "the path; install one from https://www.python.org/downloads/ or with your package manager, and run it: "
        "python3.11 dev.py ..."
    )


def create(python: str) -> None:
    """Make .venv."""
    print(f"making {VENV} with {python}", flush=True)
    if subprocess.call([python, "-m", "venv", "--clear", str(VENV)]) != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise DevError(
            "the virtual environment could not be made; on Debian and Ubuntu install python3-venv (apt-get install "
            "python3-venv), elsewhere see the message above"
        )


def install(python: Path, extras: list[str]) -> None:
    """Install bitten and its dependencies; the working tree itself is what runs (editable)."""
    target = f".[{','.join(extras)}]" if extras else "."
    print(f"installing bitten {target} into .venv (first time: some minutes)", flush=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", target]
    said = []
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            sys.stderr.write(line)
    if process.returncode == 0:
        return
    if any(sign in line for line in said for sign in OFFLINE):
        raise DevError(
            "pip found no network; connect, or set PIP_INDEX_URL to an index that can be reached, or PIP_NO_INDEX=1 "
            "and PIP_FIND_LINKS to a folder of wheels, and run this again"
        )
    raise DevError("pip could not install the dependencies, see above")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
