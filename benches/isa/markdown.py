"""Tables in Markdown."""


def row(cells):
    return "| " + " | ".join(map(str, cells)) + " |\n"


def head(first, columns):
    return row([first, *columns]) + row(["---"] + ["---:"] * len(columns))
