"""The URL type by its public name, as ``userscope.testing.Target`` takes it; ``postgres/url.py`` is its home."""

from userscope.postgres.url import ConnectionURL as ConnectionURL
