"""Tests of inference.loras."""
