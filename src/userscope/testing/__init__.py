"""A pytest plugin for services built on userscope: ``pytest_plugins = ["userscope.testing"]``."""
