"""Look at a report in a real browser: what is cut, what overlaps, what it looks like.

    make look PAGE=tea.html

Needs a Chromium: $CHROMIUM, or `chromium`, `google-chrome`, `chromium-headless-shell` on the
path. No test needs it, because a browser is no part of the environment that tests run in. In
three widths it measures a copy of the page, and fails where the page scrolls sideways, where a
figure's text is cut at its edge, or where two texts lie on one another. Then it writes, into
`look/` beside the page, pictures of it, light and dark, and the page as it is printed: for
eyes to judge.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTHS = {"wide": 1200, "tablet": 768, "phone": 360}
SCHEMES = {"dark": 0, "light": 1}
HIGH = 16_000
NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "chrome")

# The page itself runs nothing. A copy of it, without its policy, runs this alone.
MEASURE = """
const found = [], wide = document.documentElement.scrollWidth, room = innerWidth;
if (wide > room) found.push(`the page is ${wide} wide in a window of ${room}`);
for (const svg of document.querySelectorAll("svg")) {
  const box = svg.getBoundingClientRect(), seen = [];
  if (!box.width) continue;
  for (const text of svg.querySelectorAll("text")) {
    const one = text.getBoundingClientRect(), says = text.textContent, name = svg.className.baseVal;
    const out = Math.max(box.left - one.left, one.right - box.right,
                         box.top - one.top, one.bottom - box.bottom);
    if (out > 1) found.push(`${name}: "${says}" is cut by ${out.toFixed(1)} px`);
    for (const [other, word] of seen) {
      const x = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const y = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (x > 1 && y > 4) found.push(`${name}: "${says}" lies on "${word}"`);
    }
    seen.push([one, says]);
  }
}
document.title = JSON.stringify(found);
"""


def browser() -> str:
    """Find a Chromium."""
    named = os.environ.get("CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if not found:
        sys.exit("look: no Chromium here; install one, or name it: CHROMIUM=/path/to/it")
    return found


def run(*arguments: str) -> str:
    """Run it once, with a profile of its own."""
    with tempfile.TemporaryDirectory() as profile:
        command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={profile}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def measured(page: Path, *arguments: str) -> list[str]:
    """List what is wrong with a page as the browser lays it out."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.html"
        copy.write_text(text.replace("</body>", f"<script>{MEASURE}</script></body>"), "utf-8")
        shown = run(*arguments, "--dump-dom", copy.as_uri())
    title = re.search(r"<title>(.*?)</title>", shown, re.DOTALL)
    assert title is not None
    found: list[str] = json.loads(title[1].replace("&amp;", "&").replace("&lt;", "<"))
    return found


def main(page: Path, out: Path) -> int:
    """Measure a page and take pictures of it; 1 where something is wrong."""
    out.mkdir(parents=True, exist_ok=True)
    wrong = []
    for width, pixels in WIDTHS.items():
        size = f"--window-size={pixels},{HIGH}"
        wrong += [f"{width}: {one}" for one in measured(page.resolve(), size)]
        for scheme, number in SCHEMES.items():
            picture = (out / f"{page.stem}-{width}-{scheme}.png").resolve()
            setting = f"--blink-settings=preferredColorScheme={number}"
            run(size, setting, f"--screenshot={picture}", page.resolve().as_uri())
    paper = (out / f"{page.stem}.pdf").resolve()
    run("--no-pdf-header-footer", f"--print-to-pdf={paper}", page.resolve().as_uri())
    sys.stdout.write("".join(f"{one}\n" for one in wrong) or f"nothing cut; see {out}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    shown = Path(sys.argv[1])
    sys.exit(main(shown, shown.parent / "look"))
