"""Tour: a few steps on a simulated sky, told in a card beside the dock that they are done in."""
