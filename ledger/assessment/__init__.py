"""Supervision and assessment 督查考核: indicators, targets and weights, and scores explained."""
