"""What scripts lock, and for how long at worst: ``kinds`` is the table, ``reading`` finds them, ``foreseen`` counts."""
