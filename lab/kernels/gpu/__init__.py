"""x"""


def missing(loop):
    return "unbuilt"
