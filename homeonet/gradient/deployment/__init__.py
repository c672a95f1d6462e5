"""Trained networks without what only training needs: folded, packed, exported, and what they cost."""
