"""Icons, translations, samples and the built-in models: data that travels with the package."""
