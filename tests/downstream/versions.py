"""Which releases the suites come from, and where they are kept. Nothing of theirs enters the repository."""

import os
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
"""The repository."""

CACHE = Path(os.environ.get("ASGIKIT_DOWNSTREAM_CACHE", ROOT / ".cache" / "downstream")).resolve()
"""Git-ignored: source archives, the environment and the copies in which the suites run."""

SOURCES = {
    "asgiref": "asgiref==3.13.0",
    "daphne": "daphne==4.2.3",
    "channels_redis": "channels_redis==4.3.0",
    "django": "Django==5.2.19",
}
"""Suite -> the source archive that holds its tests; the environment installs the same release."""

REQUIREMENTS = (
    *SOURCES.values(),
    "channels==4.3.2",
    "async-timeout",
    "gunicorn",
    "httpx",
    "hypothesis",
    "jinja2",
    "packaging",
    "pytest",
    "pytest-asyncio",
    "pytest-timeout",
    "tblib",
    "typing-extensions",
    "uvicorn",
    "uvicorn-worker",
    "websockets",
)
