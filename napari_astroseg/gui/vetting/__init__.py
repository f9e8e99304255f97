"""What *Vet* is made of."""
