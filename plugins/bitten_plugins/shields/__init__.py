"""Bundled shields: they score a signal, explain why, and may scale its size, veto it, or calibrate its confidence."""
