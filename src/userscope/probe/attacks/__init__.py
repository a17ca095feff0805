"""What is tried, in this order.

``reading``, with ``variants`` of rows; ``changing``, which calls ``moving``, ``inserting`` and ``promoting``;
``ranking``; ``calling``; what lies ``around`` the tables; and ``publishing``: once more, in public.
"""
