"""Form: a record becomes controls, and the controls become the record again."""
