"""Two cores, whatever the machine has."""

import pytest

from anypart.data import cores


@pytest.fixture
def two_cores(monkeypatch):
    """Share out arrays of any size over two cores."""
    monkeypatch.setattr(cores, "cores", lambda: 2)
    monkeypatch.setattr(cores, "LEAST", 1)
