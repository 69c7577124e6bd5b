"""Draw the floor plan from the import contract in pyproject.toml: `make pictures`."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
WIDTH, ROW, GAP = 720, 52, 8
SAYS = {
    "__main__": "the command line",
    "compat": "asgiref's names on top of asgikit",
    "server": "without connections",
    "wsgi": "WSGI seen as ASGI",
    "testing": "for tests",
    "trace": "pictures",
    "bridge": "synchronous to asynchronous, and back",
    "loop": "which event loop a call gets",
    "executor": "where calls run",
    "local": "where values live",
    "protocols": "what every room may ask for, and nothing about how",
    "errors": "everything that is raised",
    "spec": "the words of ASGI and WSGI",
}
STYLE = """
  rect { fill: #eef2f8; stroke: #8fa0bb; }
  text { font: 17px system-ui, sans-serif; fill: #1c2330; text-anchor: middle; }
  .says { font-size: 14px; fill: #55617a; } .room { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    rect { fill: #222a37; stroke: #55617a; } text { fill: #e6e9ef; } .says { fill: #a6b0c2; }
  }
"""


def rows() -> list[list[str]]:
    """Return the rooms of each floor, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers: list[str] = contracts[0]["layers"]
    return [[room for room in layer.split(" | ") if room in SAYS] for layer in layers]


def room(name: str, x: float, y: float, wide: float) -> str:
    """Draw one room."""
    middle = x + wide / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{ROW}" rx="5"/>'
        f'<text class="room" x="{middle:g}" y="{y + 22:g}">{name}</text>'
        f'<text class="says" x="{middle:g}" y="{y + 42:g}">{SAYS[name]}</text>'
    )


def main() -> None:
    """Print the picture."""
    floors = [floor for floor in rows() if floor]
    height = len(floors) * (ROW + GAP) - GAP
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {WIDTH + 2} {height + 2}" role="img">')
    print(f"<title>The rooms of asgikit; each imports only from below</title><style>{STYLE}</style>")
    for number, floor in enumerate(floors):
        wide = (WIDTH - GAP * (len(floor) - 1)) / len(floor)
        for place, name in enumerate(floor):
            print(room(name, place * (wide + GAP), number * (ROW + GAP), wide))
    print("</svg>")


if __name__ == "__main__":
    main()
