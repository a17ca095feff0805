"""Services built on userscope."""
