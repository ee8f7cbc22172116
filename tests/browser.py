"""A headless Chromium, where there is one: pages opened, asked and photographed."""

from __future__ import annotations

import html
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


def found_browser() -> str:
    """Its path, or a skip with the reason."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no headless browser: none of {', '.join(NAMES)} is installed")
    return path


def screenshot(page: Path, width: int, height: int, out: Path) -> NDArray[np.uint8]:
    """The page as a picture, H×W×3; ``out`` is its PNG."""
    _run(f"--window-size={width},{height}", f"--screenshot={out}", page.resolve().as_uri())
    picture: NDArray[np.uint8] = imagecodecs.png_decode(out.read_bytes())[..., :3]
    return picture


def ask(page: Path, width: int, question: str, scratch: Path) -> Any:
    """What a script finds in the page, shown so many pixels wide.

    Args:
        page: that is opened, in a frame.
        width: of the frame; a window cannot be as narrow as a phone.
        question: a JavaScript expression, ``page`` the frame's document, ``frame`` its window.
        scratch: folder for the page around it.
    """
    source = html.escape(page.read_text(encoding="utf-8"), quote=True)
    around = scratch / f"around-{width}.html"
    around.write_text(
        f'<!doctype html><meta charset="utf-8"><iframe style="border:0" width="{width}" '
        f'height="2000" srcdoc="{source}"></iframe><pre id="answer"></pre><script>'
        "window.onload = () => {"
        "const frame = document.querySelector('iframe').contentWindow, page = frame.document;"
        f"document.getElementById('answer').textContent = JSON.stringify({question}) + '\\n';"
        "};</script>",
        encoding="utf-8",
    )
    dumped = _run("--window-size=1400,2200", "--dump-dom", around.resolve().as_uri())
    answer = dumped.split('<pre id="answer">')[1].split("</pre>")[0]
    return json.loads(html.unescape(answer))


def _run(*arguments: str) -> str:
    command = [found_browser(), *FLAGS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout
