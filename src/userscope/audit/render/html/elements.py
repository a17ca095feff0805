"""Elements of a page: a text that is put into one is a text there, whatever it is made of."""

from xml.etree.ElementTree import Element

type Child = Element | str | None

__all__ = ["Child", "Element", "e"]


def e(tag: str, *children: Child, **attributes: str) -> Element:
    """Make an element; ``class_`` is class and ``aria_label`` is aria-label. None is left out."""
    made = Element(tag, {name.rstrip("_").replace("_", "-"): text for name, text in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif child is not None and len(made):
            made[-1].tail = (made[-1].tail or "") + child
        elif child is not None:
            made.text = (made.text or "") + child
    return made
