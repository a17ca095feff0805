"""What is tried: reading, changing, inserting, linking, promoting oneself, calling, and what lies around the tables."""
