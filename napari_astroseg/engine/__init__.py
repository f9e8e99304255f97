"""Floor 3: learning and predicting. The only floor where torch may be imported."""
