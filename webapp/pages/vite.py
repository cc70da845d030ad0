"""What the front end's build made: Vite's manifest, read once for each build."""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from django.conf import settings

VIEWER_ENTRY, PAGES_ENTRY = "src/main.tsx", "src/pages.ts"


@dataclass(frozen=True)
class Assets:
    """The files of one entry, as paths under the static URL: its script, the chunks to preload, its styles."""

    script: str = ""
    preloads: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.script)


def assets_of(entry: str) -> Assets:
    """The files of an entry ("src/main.tsx"); empty, and so false, where the front end is not built."""
    path = Path(settings.FRONTEND_DIST) / ".vite" / "manifest.json"
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return Assets()
    return _read(path, stamp, entry)


@lru_cache(maxsize=8)
def _read(path: Path, stamp: int, entry: str) -> Assets:
    """Keyed by the manifest's time as well, so that a new build is seen without a restart."""
    manifest = json.loads(path.read_text())
    if entry not in manifest:
        return Assets()
    chunks = _static_chunks(manifest, entry)
    styles = [style for chunk in chunks for style in manifest[chunk].get("css", [])]
    return Assets(
        script=f"viewer/{manifest[entry]['file']}",
        preloads=[f"viewer/{manifest[chunk]['file']}" for chunk in chunks if chunk != entry],
        styles=[f"viewer/{style}" for style in dict.fromkeys(styles)],
    )


def _static_chunks(manifest: dict[str, dict], entry: str) -> list[str]:
    """The entry and every chunk that it imports at once; what it imports later on demand is left out."""
    chunks, waiting = [], [entry]
    while waiting:
        chunk = waiting.pop(0)
        if chunk not in chunks:
            chunks.append(chunk)
            waiting += manifest[chunk].get("imports", [])
    return chunks
