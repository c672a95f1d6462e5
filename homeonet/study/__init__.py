"""What studies share: options, tables and intervals, measured claims, timing, figure data and the gallery."""
