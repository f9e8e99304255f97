"""Pictures of a field as other surveys saw it: fetched when asked for, and kept."""
