"""Published numbers about descents, each with its source; the tests are `test_oracles_*.py`."""

FACTORISATION = [(1.0, 0.5), (1.0, 0.9), (0.5, 1.5), (-1.0, 0.8)]
"""(y, eta) at which no cell of the grid may disagree: Liang & Montufar 2025, arXiv 2509.25351."""

THRESHOLDS = {
    "himmelblau": {
        (3.0, 2.0): 0.0243060,
        (-2.805118, 3.131312): 0.0248293,
        (-3.779310, -3.283186): 0.0149493,
        (3.584428, -1.848127): 0.0189719,
    },
    "rosenbrock": {(1.0, 1.0): 0.00199680},
    "beale": {(3.0, 0.5): 0.0408332},
}
"""2/lambda_max at the minima: Himmelblau 1972, Rosenbrock 1960, Beale 1958 by their Hessians."""

CONDITION_NUMBERS = {"rosenbrock": (2508.01, 5e-3), "beale": (162.47, 5e-3)}
"""lambda_max/lambda_min at the minimum, and half a unit of the last digit printed."""

HIMMELBLAU_TOP = ((-0.270845, -0.923039), 181.616522)
"""Himmelblau's only maximum and its height."""

NESTEROV_ODE_ERROR = 0.318
"""|x_k - X(5)| over sqrt(s) as s goes to 0: Su, Boyd & Candes 2016, JMLR 17, on x^2/2 from 1."""
