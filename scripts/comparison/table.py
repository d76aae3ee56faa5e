"""Markdown: sections, tables and their cells."""

from .process import Failure


def section(title, explanation, commands):
    """Return how a section begins."""
    return (
        f"## {title}\n\n{explanation}\n\n"
        + "".join(f"    {command}\n" for command in commands)
        + "\n"
    )


def table(header, rows):
    """Return a Markdown table; columns with a name are numbers, but for the first."""
    lines = [header, ["---"] + ["---:" if name else "---" for name in header[1:]], *rows]
    return "".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def cell(value, form):
    """Return a number in that form, or why there is none."""
    if isinstance(value, Failure):
        return f"not measured: {value}"
    return "" if value is None else form.format(value)


def ratio(value, base):
    """Return how many times as long as the base; nothing where one of them is missing."""
    if any(number is None or isinstance(number, Failure) for number in [value, base]):
        return None
    return value / base


def scaled(value, factor):
    """Return the product, where the value is a number."""
    return value if value is None or isinstance(value, Failure) else value * factor


def unless_failed(value):
    """Return the value, or nothing where another cell says why there is none."""
    return None if isinstance(value, Failure) else value
