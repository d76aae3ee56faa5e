"""Write scikit-learn's numbers about answers and their truth, as fixtures for the tests.

    python scripts/make_evaluation_fixtures.py      # needs numpy, scikit-learn and scipy of scripts/requirements.txt

Writes tests/fixtures/evaluation.json: cases, each with

    labels, activation  the classes, and what made scores of logits
    known, scores       the truth of each picture and its scores; of cases with `rows` both sides
                        generate them from a seed (tests/evaluate/cases.rs)
    top_k, resamples,   the options of the evaluation
    seed, sensitivities
    expected            the numbers, by their keys in the evaluation's JSON; null where there is none

and comparisons: McNemar's test by scipy. Of equal scores the lower index is predicted, which
`numpy.argmax` does too; ranks of cases with equal scores follow from that by hand, because
`top_k_accuracy_score` puts the higher index first.
"""

import json
import math
import warnings
from pathlib import Path

import numpy as np
from fixtures.seeded import fnv1a64, splitmix64, uniform
from scipy.stats import binomtest, chi2
from sklearn import metrics
from sklearn.calibration import calibration_curve

FIXTURE = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "evaluation.json"

BINS = 15


def number(value):
    """Return a float, or None for NaN."""
    value = float(value)
    return None if math.isnan(value) else value


def mean(values):
    """Return the mean of the values that are numbers, or None."""
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def auroc(truth, scores):
    """Return the AUROC, or None where one side is missing."""
    return number(metrics.roc_auc_score(truth, scores)) if 0 < truth.sum() < len(truth) else None


def average_precision(truth, scores):
    """Return the average precision, or None without positives."""
    return number(metrics.average_precision_score(truth, scores)) if truth.sum() > 0 else None


def calibration_error(probabilities, rights):
    """Return the expected calibration error in bins of equal width."""
    edges = np.linspace(0, 1, BINS + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], probabilities), minlength=BINS)
    accuracy, confidence = calibration_curve(rights, probabilities, n_bins=BINS)
    return number(np.sum(counts[counts > 0] / len(rights) * np.abs(accuracy - confidence)))


def operating_points(truth, scores, sensitivities):
    """Return Youden's point and those of least sensitivities."""
    if not 0 < truth.sum() < len(truth):
        return []
    false_rate, true_rate, thresholds = metrics.roc_curve(truth, scores, drop_intermediate=False)
    chosen = [("youden", np.argmax(true_rate - false_rate))]
    chosen += [(f"sensitivity {least}", np.argmax(true_rate >= least)) for least in sensitivities]
    return [
        {
            "chosen_by": name,
            "threshold": number(thresholds[index]),
            "sensitivity": number(true_rate[index]),
            "specificity": number(1 - false_rate[index]),
            "precision": number(truth[scores >= thresholds[index]].mean()),
        }
        for name, index in chosen
    ]


def resample(index, seed, count):
    """Return the pictures of a resample: splitmix64 one after the other, the upper 53 bits."""
    start = np.uint64(fnv1a64(f"resample {index}") ^ seed)
    golden = np.uint64(0x9E3779B97F4A7C15)
    bits = splitmix64(start + golden * np.arange(count, dtype=np.uint64))
    return ((bits >> np.uint64(11)).astype(np.float64) / 2.0**53 * count).astype(np.int64)


def interval(measure, case, count):
    """Return the middle 95 % of a measure in resamples, or None."""
    measured = [measure(resample(index, case["seed"], count)) for index in range(case["resamples"])]
    measured = [value for value in measured if value is not None]
    return [number(end) for end in np.percentile(measured, [2.5, 97.5])] if measured else None


def per_class(case, label, truth, predicted, scores, is_known, has_intervals):
    """Return the numbers of one class against all others."""
    known_truth, known_scores = truth[is_known], scores[is_known]
    result = {"label": label, "support": int(known_truth.sum())}
    result["auroc"] = auroc(known_truth, known_scores)
    result["average_precision"] = average_precision(known_truth, known_scores)
    if predicted is None or not is_known.any():
        result.update(precision=None, recall=None, f1=None, specificity=None)
    else:
        sure = predicted[is_known]
        options = {"zero_division": np.nan, "average": "binary"}
        for name, measure in [
            ("precision", metrics.precision_score),
            ("recall", metrics.recall_score),
            ("f1", metrics.f1_score),
        ]:
            result[name] = number(measure(known_truth, sure, **options))
        result["specificity"] = number(metrics.recall_score(~known_truth, ~sure, **options))

    def of(measure):
        def measured(drawn):
            drawn = drawn[is_known[drawn]]
            return measure(truth[drawn], scores[drawn])

        return interval(measured, case, len(truth)) if has_intervals else None

    result["auroc_interval"] = of(auroc)
    result["average_precision_interval"] = of(average_precision)
    points = (
        operating_points(known_truth, known_scores, case["sensitivities"]) if has_intervals else []
    )
    return {**result, "operating_points": points}


def evaluate_one(case, scores, known):
    """Return the numbers of pictures that are of one class each."""
    classes = range(len(case["labels"]))
    predicted = scores.argmax(axis=1) if len(scores) else np.zeros(0, int)
    ranks = np.array(
        [
            int((row > row[truth]).sum() + (row[:truth] == row[truth]).sum())
            for row, truth in zip(scores, known)
        ]
    )
    has_ties = any(len(set(row)) < len(row) for row in scores[:1000])
    within = {
        k: number((ranks < k).mean()) if k <= len(classes) else None for k in (1, 5, case["top_k"])
    }
    if not has_ties and len(classes) > 2:
        for k, accuracy in within.items():
            if k < len(classes):
                of_sklearn = metrics.top_k_accuracy_score(known, scores, k=k, labels=list(classes))
                assert accuracy == of_sklearn
    expected = {
        "count": len(known),
        "top1": number(metrics.accuracy_score(known, predicted)),
        "top5": within[5],
        "top_k": {"k": case["top_k"], "accuracy": within[case["top_k"]]},
        "balanced_accuracy": number(metrics.balanced_accuracy_score(known, predicted)),
        "confusion": metrics.confusion_matrix(known, predicted, labels=list(classes)).tolist(),
        "top1_interval": interval(
            lambda drawn: number(metrics.accuracy_score(known[drawn], predicted[drawn])),
            case,
            len(known),
        ),
        "balanced_accuracy_interval": interval(
            lambda drawn: number(metrics.balanced_accuracy_score(known[drawn], predicted[drawn])),
            case,
            len(known),
        ),
        "unknown": 0,
    }
    everything = np.ones(len(known), bool)
    if case["activation"] == "softmax":
        expected["log_loss"] = number(metrics.log_loss(known, scores, labels=list(classes)))
        expected["brier"] = number(metrics.brier_score_loss(known, scores, labels=list(classes)))
        expected["ece"] = calibration_error(scores.max(axis=1), predicted == known)
    elif case["activation"] == "sigmoid":
        expected.update(cells(np.equal.outer(known, classes).ravel(), scores.ravel()))
    else:
        expected.update(log_loss=None, brier=None, ece=None)
    has_intervals = len(classes) <= 2
    expected["per_class"] = [
        per_class(
            case,
            label,
            known == index,
            predicted == index,
            scores[:, index],
            everything,
            has_intervals,
        )
        for index, label in enumerate(case["labels"])
    ]
    return expected


def cells(truth, probabilities):
    """Return the losses of classes that do not exclude each other."""
    return {
        "log_loss": number(metrics.log_loss(truth, probabilities, labels=[False, True])),
        "brier": number(metrics.brier_score_loss(truth, probabilities, labels=[False, True])),
        "ece": calibration_error(probabilities, truth),
    }


def evaluate_each(case, scores, known):
    """Return the numbers of pictures of which any number of classes may be true; NaN is what nobody knows."""
    is_known = ~np.isnan(known)
    truth = known == 1
    has_probabilities = case["activation"] != "none"
    expected = dict.fromkeys(
        [
            "top1",
            "top5",
            "balanced_accuracy",
            "confusion",
            "top1_interval",
            "balanced_accuracy_interval",
        ]
    )
    expected.update(
        count=len(known),
        top_k={"k": case["top_k"], "accuracy": None},
        unknown=int((~is_known).sum()),
    )
    expected.update(
        cells(truth[is_known], scores[is_known])
        if has_probabilities
        else {"log_loss": None, "brier": None, "ece": None}
    )
    expected["per_class"] = [
        per_class(
            case,
            label,
            truth[:, index],
            scores[:, index] >= 0.5 if has_probabilities else None,
            scores[:, index],
            is_known[:, index],
            True,
        )
        for index, label in enumerate(case["labels"])
    ]
    return expected


def evaluate(case, scores, known):
    """Return all numbers of a case."""
    expected = (evaluate_each if known.ndim == 2 else evaluate_one)(case, scores, known)
    for name, key in [
        ("macro_f1", "f1"),
        ("macro_auroc", "auroc"),
        ("macro_average_precision", "average_precision"),
    ]:
        expected[name] = mean([each[key] for each in expected["per_class"]])
    return expected


def scored(weights):
    """Return probabilities with few values, so that many are equal."""
    return weights / weights.sum(axis=1, keepdims=True)


def generated_one(case):
    """Return the scores and the truth of `rows` pictures of one class each."""
    rows, classes, seed = case["rows"], len(case["labels"]), case["seed"]
    scores = scored(
        np.floor(uniform("scores", seed, rows * classes) * 64).reshape(rows, classes) + 1
    )
    other = np.floor(uniform("other", seed, rows) * classes).astype(int)
    return scores, np.where(uniform("truth", seed, rows) < 0.6, scores.argmax(axis=1), other)


def generated_each(case):
    """Return the scores and the truth of `rows` pictures, with cells that nobody knows."""
    rows, classes, seed = case["rows"], len(case["labels"]), case["seed"]
    scores = np.floor(uniform("scores", seed, rows * classes) * 256).reshape(rows, classes) / 256
    truth = uniform("truth", seed, rows * classes).reshape(rows, classes) < 0.75 * scores
    unknown = uniform("unknown", seed, rows * classes).reshape(rows, classes) < 0.125
    return scores, np.where(unknown, np.nan, truth)


def case(name, labels, activation, **options):
    """Return a case without pictures."""
    return {
        "name": name,
        "labels": labels,
        "activation": activation,
        "top_k": 2,
        "resamples": 0,
        "seed": 0,
        "sensitivities": [0.9],
        **options,
    }


def small_cases():
    """Yield cases, their scores and their truth."""
    random = np.random.default_rng(0)
    six = [*"abcdef"]
    logits = random.normal(size=(60, 6))
    known = np.where(random.random(60) < 0.6, logits.argmax(axis=1), random.integers(0, 6, 60))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    yield case("six classes", six, "softmax", resamples=50, seed=7), softmax, known
    yield case("logits alone", six, "none"), logits, known
    yield case("one class of sigmoids", six, "sigmoid"), 1 / (1 + np.exp(-logits)), known
    ties = scored(np.floor(random.random((40, 3)) * 3) + 1)
    yield case("equal scores", [*"abc"], "softmax"), ties, random.integers(0, 3, 40)
    yield (
        case("classes without pictures", six, "softmax"),
        softmax[known % 3 == 0],
        known[known % 3 == 0],
    )
    yield case("one class only", [*"abc"], "softmax"), ties, np.full(40, 1)
    yield case("two pictures", [*"abc"], "softmax", resamples=20), ties[:2], np.array([0, 2])
    two = random.random(50)
    yield (
        case("two classes", ["not", "it"], "softmax", resamples=50, seed=1),
        np.stack([1 - two, two], 1),
        (random.random(50) < two).astype(int),
    )
    certain = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    yield case("certain and wrong", ["a", "b"], "softmax"), certain, np.array([0, 1, 0])

    scores = np.floor(random.random((80, 4)) * 20) / 20
    truth = (random.random((80, 4)) < scores).astype(float)
    truth[:, 2] = 0
    truth[random.random((80, 4)) < 0.2] = np.nan
    findings = ["Edema", "Effusion", "nobody has it", "Hernia"]
    yield (
        case("findings", findings, "sigmoid", resamples=50, seed=3, sensitivities=[0.8, 0.95]),
        scores,
        truth,
    )
    yield case("findings of logits", findings, "none"), scores, truth
    truth[:, 3] = 1
    truth[:, 0] = np.nan
    yield case("findings that all have, and that nobody knows", findings, "sigmoid"), scores, truth


def comparisons():
    """Yield McNemar's test of two models that alone are right so many times."""
    for first, second in [
        (0, 0),
        (1, 0),
        (3, 9),
        (10, 10),
        (20, 41),
        (400, 480),
        (700, 900),
        (60_000, 60_500),
    ]:
        exact = binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
        corrected = (
            (max(abs(first - second) - 1, 0)) ** 2 / (first + second) if first + second else 0.0
        )
        yield {
            "only_first": first,
            "only_second": second,
            "exact": exact,
            "chi_squared": corrected,
            "by_chi_squared": float(chi2.sf(corrected, 1)),
        }


def main():
    """Write the fixture."""
    # What does not exist is warned of.
    warnings.simplefilter("ignore")
    cases = []
    for one, scores, known in small_cases():
        each = known.ndim == 2
        truth = (
            [[None if math.isnan(cell) else bool(cell) for cell in row] for row in known]
            if each
            else known.tolist()
        )
        cases.append(
            {
                **one,
                "scores": scores.tolist(),
                "known": truth,
                "expected": evaluate(one, scores, known),
            }
        )
    large = case("100,000 pictures", [*"abcd"], "softmax", rows=100_000, seed=11)
    cases.append({**large, "is_of_each": False, "expected": evaluate(large, *generated_one(large))})
    large = case("100,000 pictures of findings", [*"abc"], "sigmoid", rows=100_000, seed=12)
    cases.append({**large, "is_of_each": True, "expected": evaluate(large, *generated_each(large))})
    lines = ",\n".join(json.dumps(one) for one in cases)
    tests = ",\n".join(json.dumps(one) for one in comparisons())
    FIXTURE.write_text(f'{{"cases": [\n{lines}\n],\n"comparisons": [\n{tests}\n]}}\n')


if __name__ == "__main__":
    main()
