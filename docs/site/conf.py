"""What Sphinx is told of the site; ``build.py`` beside it brings the pages."""

from importlib.metadata import version as _version

project = "userscope"
author = "The userscope authors"
release = version = _version("userscope")
html_title = f"userscope {release}"
extensions = ["myst_parser"]
myst_heading_anchors = 4  # as GitHub names them, and a link to one that is not there fails the build
myst_enable_extensions: list[str] = []
html_theme = "furo"
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style, pygments_dark_style = "default", "monokai"
# What a page shows is not always a whole program.
suppress_warnings = ["misc.highlighting_failure"]
