"""What studies share: tables of results, and the gallery of figures."""
