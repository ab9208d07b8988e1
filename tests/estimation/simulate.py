"""Customers who behave as the models say, one by one, from a seeded generator."""

import numpy as np

CDNOW_BGNBD = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
CDNOW_MBGNBD = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
CDNOW_NBD = {"r": 0.385, "alpha": 12.072}
CDNOW_SPEND = {"p": 6.25, "q": 3.744, "v": 15.44}


def histories(rng, model, parameters, age, horizon=0.0):
    """Return x, t_x, whether alive at the age, and the orders in the horizon after it.

    Every customer draws its rate and its dropout probability and then lives, order by order.
    """
    size = age.size
    rate = rng.gamma(parameters["r"], 1 / parameters["alpha"], size)
    dropout = np.zeros(size)
    if model != "nbd":
        dropout = rng.beta(parameters["a"], parameters["b"], size)
    x, recency, later, now = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    active = np.ones(size, bool)
    if model == "mbgnbd":
        active = rng.random(size) >= dropout
    alive = np.ones(size, bool)
    alive[~active] = False
    while active.any():
        now[active] += rng.exponential(1 / rate[active])
        active &= now <= age + horizon
        known = active & (now <= age)
        x[known] += 1
        recency[known] = now[known]
        later[active & ~known] += 1
        leaves = active & (rng.random(size) < dropout)
        alive[leaves & known] = False
        active &= ~leaves
    return x, recency, alive, later
