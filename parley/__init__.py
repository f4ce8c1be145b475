"""Parley: conversations between language models, recorded, replayable and forkable."""

__version__ = "0.1.0"
