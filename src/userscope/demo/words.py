"""What sample data is made of: names, and what there is to do."""

FIRST = [
    "Ada", "Alan", "Barbara", "Chiara", "Dennis", "Edsger", "Frances", "Grace",
    "Hedy", "Ingrid", "Joan", "Katherine", "Lin", "Maryam", "Niklaus",
]  # fmt: skip
LAST = [
    "Allen", "Borg", "Curie", "Dijkstra", "Easley", "Franklin", "Goodall",
    "Hopper", "Johnson", "Lamarr", "Noether", "Perlman", "Turing", "Wirth",
]  # fmt: skip
VERBS = ("Bring back", "Buy", "Call about", "Clean", "Fix", "Look for", "Pay for", "Plan", "Sell", "Write about")
THINGS = [
    "bike", "birthday", "cake", "books", "dentist", "garden", "invoice", "keys",
    "lamp", "letter", "milk", "piano", "roof", "tickets", "trip", "window",
]  # fmt: skip
