"""What is read out of runs: screens, datasets, measures.

from analytics import load

frames = load("datasets/tea")
"""

from analytics.frames import load

__all__ = ["load"]
