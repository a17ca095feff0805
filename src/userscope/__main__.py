"""``python -m userscope`` is ``userscope``."""

from userscope.cli import main

if __name__ == "__main__":
    main()
