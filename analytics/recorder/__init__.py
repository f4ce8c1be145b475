"""Runs on disk: what follows them, trims the server behind it, and reads them back."""
