"""Write what scikit-learn's LogisticRegression makes of features, as fixtures for the tests.

    python scripts/make_fit_fixtures.py      # needs numpy and scikit-learn of scripts/requirements.txt

Writes tests/fixtures/fit.json: cases, each with

    rows, columns, seed   the features, which both sides generate (tests/fit.rs)
    exponents             of each column: it is multiplied by two to the power of it
    known                 the truth of each row: a class, or of findings whether each is there
    regularisation        scikit-learn's C
    class_weight          equal or balanced
    objective             C * sum(losses) + 0.5 * sum(weights²) at the minimum
    right                 how many rows are predicted right; of findings, how many cells
    probabilities         of each class, for the first rows
"""

import json
from pathlib import Path

import numpy as np
from fixtures.seeded import uniform
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

FIXTURE = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "fit.json"

SHOWN = 10


def features(rows, columns, seed, exponents):
    """Return the features, `[rows, columns]`: exact in 32-bit floats."""
    return uniform("features", seed, rows * columns).reshape(rows, columns) * 2.0 ** np.array(exponents)


def regression(x, y, c, class_weight):
    """Return the fitted regression and its objective."""
    weight = None if class_weight == "equal" else "balanced"
    fitted = LogisticRegression(C=c, class_weight=weight, tol=1e-10, max_iter=100_000).fit(x, y)
    truth = fitted.predict_proba(x)[np.arange(len(y)), np.searchsorted(fitted.classes_, y)]
    losses = -np.log(truth) * compute_sample_weight(weight, y)
    return fitted, c * losses.sum() + 0.5 * (fitted.coef_**2).sum()


def of_classes(name, rows, exponents, classes, seed, c, class_weight="equal", skew=1.0):
    """Return a case of one class for each row; with a skew the first classes have more."""
    x = features(rows, len(exponents), seed, exponents)
    random = np.random.default_rng(seed)
    z = (x / 2.0 ** np.array(exponents) - 0.5) @ random.normal(0, 3, (len(exponents), classes)) + random.gumbel(0, 1, (rows, classes))
    y = np.argmax(z - np.log(skew) * np.arange(classes), 1)
    fitted, objective = regression(x, y, c, class_weight)
    return {
        "name": name, "rows": rows, "columns": len(exponents), "seed": seed, "exponents": exponents, "classes": classes,
        "known": y.tolist(), "regularisation": c, "class_weight": class_weight, "objective": objective,
        "right": int((fitted.predict(x) == y).sum()), "probabilities": fitted.predict_proba(x)[:SHOWN].round(9).tolist(),
    }


def of_findings(name, rows, exponents, findings, seed, c, class_weight="equal"):
    """Return a case of findings, some of which nobody knows: each is a regression of its own."""
    x = features(rows, len(exponents), seed, exponents)
    random = np.random.default_rng(seed)
    z = (x / 2.0 ** np.array(exponents) - 0.5) @ random.normal(0, 3, (len(exponents), findings)) + random.logistic(-0.5, 1, (rows, findings))
    is_known = random.random((rows, findings)) > 0.2
    known = [[bool(z[row, it] > 0) if is_known[row, it] else None for it in range(findings)] for row in range(rows)]
    objective, right, probabilities = 0.0, 0, []
    for it in range(findings):
        known_rows = np.flatnonzero(is_known[:, it])
        y = z[known_rows, it] > 0
        fitted, own = regression(x[known_rows], y, c, class_weight)
        objective += own
        right += int((fitted.predict(x[known_rows]) == y).sum())
        probabilities.append(fitted.predict_proba(x[:SHOWN])[:, 1])
    return {
        "name": name, "rows": rows, "columns": len(exponents), "seed": seed, "exponents": exponents, "classes": findings,
        "known": known, "regularisation": c, "class_weight": class_weight, "objective": objective,
        "right": right, "probabilities": np.stack(probabilities, 1).round(9).tolist(),
    }


def main():
    """Write the fixture."""
    cases = [
        of_classes("four classes", 200, [0] * 12, 4, 1, 1.0),
        of_classes("much regularisation", 200, [0] * 12, 4, 2, 1e-3),
        of_classes("little regularisation", 300, [0] * 6, 3, 3, 1e4),
        of_classes("features of different scales", 200, [-6, -3, 0, 3, 6, 8, -8, 2], 5, 4, 10.0),
        of_classes("more features than rows", 30, [0] * 50, 3, 5, 1.0),
        of_classes("two classes", 200, [0] * 8, 2, 6, 1.0),
        of_classes("two classes, balanced", 200, [1] * 8, 2, 7, 10.0, "balanced", 8.0),
        of_classes("five classes, balanced", 300, [0] * 8, 5, 8, 1.0, "balanced", 2.5),
        of_findings("findings", 200, [0] * 8, 3, 9, 1.0),
        of_findings("findings, balanced", 200, [2] * 8, 3, 10, 0.1, "balanced"),
    ]
    lines = ",\n".join(json.dumps(case) for case in cases)
    FIXTURE.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
