"""Messages as vectors, and how alike two of them are: what convergence and drift stand on."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from analytics.metrics.frames import Frames
from utils.words import words_of


def tfidf(texts: list[list[str]]) -> Any:
    """Weigh each text's words by how few texts have them.

    Args:
        texts: Each as its words.

    Returns:
        Sparse, shape (texts, different words), rows of length 1; a text without words
        is a row of zeros. None where no text has a word.

    Source:
        scikit-learn's TfidfVectorizer with its defaults: smoothed idf, rows of unit
        length. Words are Parley's own, so that none is left out as a stop word.
    """
    if not any(texts):
        return None
    return TfidfVectorizer(analyzer=_as_they_are).fit_transform(texts)


def _as_they_are(words: list[str]) -> list[str]:
    return words


def heard_tfidf(frames: Frames) -> Any:
    """Weigh the words of all messages heard, openings and injected ones too."""
    return frames.once("tfidf of heard", _heard_tfidf)


def _heard_tfidf(frames: Frames) -> Any:
    return tfidf([words_of(text) if isinstance(text, str) else [] for text in frames.heard["text"]])


def cosines(rows: Any, others: Any) -> np.ndarray:
    """Measure how alike each row is to the other of its place: unit rows, so a dot product."""
    if isinstance(rows, np.ndarray):
        return np.asarray((rows * others).sum(axis=1))
    return np.asarray(rows.multiply(others).sum(axis=1)).ravel()
