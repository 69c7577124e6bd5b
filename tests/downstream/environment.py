"""Makes the environment in which the suites run, and fetches their sources through pip."""

import shutil
import subprocess
import sys
import tarfile
import venv
from collections.abc import Sequence
from pathlib import Path

from tests.downstream.versions import CACHE, REQUIREMENTS, SOURCES

VENV = CACHE / f"venv-{sys.version_info.major}.{sys.version_info.minor}"
PYTHON = VENV / "bin" / "python"


def prepare() -> None:
    """Make the environment and fetch the sources, unless they are there already."""
    stamp = VENV / "requirements.txt"
    wanted = "\n".join(REQUIREMENTS)
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making {VENV}", flush=True)
        venv.create(VENV, with_pip=True, clear=True)
        _pip("install", *REQUIREMENTS)
        stamp.write_text(wanted)
    for suite in SOURCES:
        source(suite)


def source(suite: str) -> Path:
    """The unpacked source archive of `suite`, fetched on first use."""
    requirement = SOURCES[suite]
    unpacked = CACHE / "sources" / requirement.replace("==", "-")
    if not unpacked.exists():
        print(f"fetching {requirement}", flush=True)
        archives = CACHE / "archives" / suite
        shutil.rmtree(archives, ignore_errors=True)
        _pip("download", "--no-deps", "--no-binary", ":all:", "--dest", str(archives), requirement)
        (archive,) = archives.glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(archives, filter="data")
        (folder,) = (entry for entry in archives.iterdir() if entry.is_dir())
        unpacked.parent.mkdir(exist_ok=True)
        folder.rename(unpacked)
    return unpacked


def workplace(name: str, copies: Sequence[tuple[Path, str]]) -> Path:
    """A fresh folder that holds copies of `copies`: a suite never sees the package folder beside its tests."""
    folder = CACHE / "run" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for origin, target in copies:
        if origin.is_dir():
            shutil.copytree(origin, folder / target)
        else:
            shutil.copy(origin, folder / target)
    return folder


def _pip(*arguments: str) -> None:
    subprocess.run([PYTHON, "-m", "pip", "-q", "--disable-pip-version-check", *arguments], check=True)
