"""Erasure, masking, and whose ids and addresses are known."""
