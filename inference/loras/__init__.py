"""LoRAs: small additions to the layers of a model. Their files, the user's list, and where they go."""
