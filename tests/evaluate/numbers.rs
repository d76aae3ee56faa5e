//! Each number of an evaluation.

use densenet_wgpu::evaluate::{EvaluationOptions, McNemar};
use serde_json::Value;

use crate::cases::Fixture;

/// How far a number may be off: the order of sums.
const TOLERANCE: f64 = 1e-12;

/// Asserts that every value in `expected` is in `found`, and returns how many there are.
#[track_caller]
fn assert_same(found: &Value, expected: &Value, place: &str) -> usize {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let same = |(key, value)| assert_same(found.get(key).unwrap_or(&Value::Null), value, &format!("{place}.{key}"));
            expected.iter().map(same).sum()
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{place}");
            let same = |(index, (found, expected)): (usize, (&Value, &Value))| assert_same(found, expected, &format!("{place}[{index}]"));
            found.iter().zip(expected).enumerate().map(same).sum()
        }
        (Value::Number(found), Value::Number(expected)) => {
            let [found, expected] = [found, expected].map(|number| number.as_f64().unwrap());
            assert!((found - expected).abs() <= TOLERANCE * expected.abs().max(1.0), "{place}: expected {expected}, found {found}");
            1
        }
        _ => {
            assert_eq!(found, expected, "{place}");
            1
        }
    }
}

#[test]
fn numbers_are_scikit_learns() {
    let fixture = Fixture::read();
    assert!(fixture.cases.len() > 12, "{} cases", fixture.cases.len());
    for case in &fixture.cases {
        let evaluation = case.answers().evaluate(&case.options());
        let compared = assert_same(&serde_json::to_value(&evaluation).unwrap(), &case.expected, &case.name);
        assert!(compared > 30, "{}: {compared} values only", case.name);
    }
}

#[test]
fn intervals_depend_on_their_seed_alone() {
    let fixture = Fixture::read();
    let answers = fixture.cases.iter().find(|case| case.name == "findings").unwrap().answers();
    let of = |seed| answers.evaluate(&EvaluationOptions::default().with_resamples(30).with_seed(seed));
    assert_eq!(of(1), of(1));
    assert_ne!(of(1).per_class[0].auroc_interval, of(2).per_class[0].auroc_interval);
    let interval = of(1).per_class[0].auroc_interval.unwrap();
    assert!(interval.low < interval.high);
}

#[test]
fn mcnemars_test_is_scipys() {
    let fixture = Fixture::read();
    assert!(fixture.comparisons.len() > 5);
    for comparison in &fixture.comparisons {
        let [first, second] = ["only_first", "only_second"].map(|key| comparison[key].as_u64().unwrap());
        let key = if first + second <= 1000 { "exact" } else { "by_chi_squared" };
        let (found, expected) = (McNemar::new(first, second).p, comparison[key].as_f64().unwrap());
        assert!((found - expected).abs() <= 1e-11 * expected, "{first} and {second}: expected {expected}, found {found}");
    }
}
