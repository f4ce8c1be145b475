"""Forks: a parent's beginning, changes, and a run of its own that goes on from there."""
