"""An optimizer of the user's own."""

import optax


def nesterov(learning_rate=0.1, momentum=0.9):
    return optax.sgd(learning_rate, momentum=momentum, nesterov=True)
