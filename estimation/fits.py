"""A fit is judged here, not believed: a solver's `success` says only that it stopped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

FloatArray = NDArray[np.float64]

CONVERGED = "converged"
AT_BOUND = "at_bound"
NOT_CONVERGED = "not_converged"
INSUFFICIENT_EVIDENCE = "insufficient_evidence"

NEAR_BOUND_FACTOR = 2.0
LARGEST_GRADIENT = 1e-6  # per customer and unit of a log-parameter
MINIMUM_REPEAT_BUYERS = 30

# A step of the climb multiplies matrices of a few rows: threads would spend their time on waiting.
THREADS = ThreadpoolController()


@dataclass(frozen=True)
class Fit:
    """Parameters with what speaks for and against them.

    Attributes:
        model: 'bgnbd', 'mbgnbd', 'nbd', 'gamma_gamma' or 'mean_spend'; where a simpler model took
            the place of the one asked for, the simpler one, and `reason` says why.
        parameters: by name; empty where the evidence did not suffice.
        log_likelihood: natural logarithm, summed over customers; nan without parameters.
        customers: whose data were used, groups counted by their weight.
        groups: rows that these customers came in.
        status: 'converged', 'at_bound', 'not_converged' or 'insufficient_evidence'.
        reason: in words, empty where there is nothing to say.
        gradient: largest slope of the log-likelihood per customer and unit of a log-parameter;
            nan where nothing was climbed.
    """

    model: str
    parameters: dict[str, float]
    log_likelihood: float
    customers: int
    groups: int
    status: str
    reason: str = ""
    gradient: float = float("nan")

    @property
    def is_usable(self) -> bool:
        """Whether predictions may rest on it: converged, and with a mean to predict.

        A Gamma-Gamma with q <= 1 has no mean spend, however well it converged.
        """
        if self.status != CONVERGED:
            return False
        return self.model != "gamma_gamma" or self.parameters["q"] > 1


def no_fit(model: str, customers: float, groups: int, reason: str) -> Fit:
    """Return the result for data that cannot bear the model."""
    return Fit(
        model, {}, float("nan"), round(customers), groups, INSUFFICIENT_EVIDENCE, reason=reason
    )


def maximise(
    model: str,
    objective: Callable[[FloatArray], tuple[float, FloatArray]],
    bounds: dict[str, tuple[float, float]],
    starts: Sequence[Sequence[float]],
    customers: float,
    groups: int,
) -> Fit:
    """Return the likeliest parameters, all of them positive, and the judgement on them.

    The climb is L-BFGS-B in the logarithms of the parameters. The next start is tried only where
    the one before did not end inside the bounds on level ground; of several ends the highest wins.

    Args:
        model: name for the result.
        objective: from parameters, shape (k,), to the summed log-likelihood and its gradient (k,).
        bounds: lowest and highest value of each parameter, by name, in the objective's order.
        starts: parameters to climb from, each of length k.
        customers: sum of the weights behind the objective.
        groups: rows behind the objective.
    """
    logarithms = np.log(np.array(list(bounds.values())))

    def descent(place: FloatArray) -> tuple[float, FloatArray]:
        parameters = np.exp(place)
        value, gradient = objective(parameters)
        return -value / customers, -gradient * parameters / customers

    best: Fit | None = None
    for start in starts:
        place = np.clip(np.log(start), logarithms[:, 0] + 0.1, logarithms[:, 1] - 0.1)
        with THREADS.limit(limits=1, user_api="blas"):
            end = minimize(
                descent,
                place,
                jac=True,
                method="L-BFGS-B",
                bounds=logarithms,
                options={"maxiter": 1000, "maxcor": 20, "ftol": 1e-15, "gtol": 1e-8},
            )
        value, slope = descent(end.x)
        status, reason = _judgement(list(bounds), end.x, logarithms, value, slope)
        fit = Fit(
            model,
            {name: float(found) for name, found in zip(bounds, np.exp(end.x), strict=True)},
            float(-value * customers),
            round(customers),
            groups,
            status,
            reason,
            float(np.max(np.abs(slope))),
        )
        if best is None or not fit.log_likelihood <= best.log_likelihood:
            best = fit
        if best.status == CONVERGED:
            break
    if best is None:
        raise ValueError("there has to be a start")
    return best


def _judgement(
    names: list[str], place: FloatArray, bounds: FloatArray, value: float, slope: FloatArray
) -> tuple[str, str]:
    near = np.abs(place[:, None] - bounds) < np.log(NEAR_BOUND_FACTOR)
    if not np.isfinite(value) or not np.all(np.isfinite(slope)):
        return NOT_CONVERGED, "the log-likelihood is not finite"
    if near.any():
        sides = [
            f"{name} at its {side} bound {np.exp(bound):g}"
            for name, limits, hits in zip(names, bounds, near, strict=True)
            for side, bound, hit in zip(("lower", "upper"), limits, hits, strict=True)
            if hit
        ]
        return AT_BOUND, ", ".join(sides)
    steepest = int(np.argmax(np.abs(slope)))
    if abs(slope[steepest]) > LARGEST_GRADIENT:
        return NOT_CONVERGED, f"slope {slope[steepest]:.1e} per customer left in {names[steepest]}"
    return CONVERGED, ""
