"""From a request to layers: pictures, variations, sheets, scores and heat maps."""
