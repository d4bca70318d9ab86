"""A loop of scalars run by XLA: each scalar that differs from lane to lane is a row of lanes."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from lab.kernels.loop import Loop, Rows


def run(
    loop: Loop,
    first: Int[Array, ""],
    until: Int[Array, ""],
    shared: Rows,
    given: Rows,
    state: Rows,
) -> Rows:
    """The state after steps first ... until-1, or once no lane is running any more."""

    def goes_on(carry: tuple[Array, Rows]) -> Array:
        t, state = carry
        return (t < until) & (True if loop.outcome is None else jnp.any(state[loop.outcome] == 0))

    def body(carry: tuple[Array, Rows]) -> tuple[Array, Rows]:
        t, state = carry
        after = loop.step(t, *shared, *given, *state)
        # What happens to be the same in all lanes after this step need not be so after the next.
        pairs = zip(state, after, strict=True)
        return t + 1, [jnp.broadcast_to(new, jnp.shape(old)) for old, new in pairs]

    return jax.lax.while_loop(goes_on, body, (first, list(state)))[1]
