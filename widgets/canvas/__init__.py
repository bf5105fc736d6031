"""The picture: view, tools' input and overlays, rulers and guides."""
