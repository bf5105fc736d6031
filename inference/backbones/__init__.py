"""The only place that knows which model family it has."""
