//! Which device is used: `--device`, the variable that stands in for it, and what is done with software.

use std::process::Output;

use serde_json::Value;

use crate::{CPU, SLOW, assert_refused, assert_says, densenet, stdout};

const PICTURE: &str = "examples/digits/7-1442-8.png";

/// An address at which no card can be: bus, device and function are the last of a domain.
const NOWHERE: &str = "0000:ff:1f.7";

/// What `densenet devices` lists.
fn devices() -> Vec<Value> {
    let output = densenet().args(["devices", "--format", "json"]).output().unwrap();
    let mut report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    serde_json::from_value(report["devices"].take()).unwrap()
}

fn with_variable(value: &str, arguments: &[&str]) -> Output {
    densenet().args(arguments).env("DENSENET_DEVICE", value).output().unwrap()
}

#[test]
fn devices_have_their_pci_addresses() {
    let text = stdout(&densenet().arg("devices").output().unwrap());
    let addresses: Vec<String> = devices()
        .iter()
        .filter_map(|device| {
            assert!(device.as_object().unwrap().contains_key("pci_address"), "{device}");
            Some(device["pci_address"].as_str()?.to_owned())
        })
        .collect();
    assert_eq!(text.matches("   PCI address ").count(), addresses.len(), "{text}");
    for address in addresses {
        assert!(text.contains(&address), "{text}");
        let output = densenet().args(["classify", PICTURE, "--model", "digits", "--device", &address]).output().unwrap();
        assert_says(&output, 0, &[]);
    }
}

#[test]
fn an_address_that_is_not_there_is_refused_with_what_is() {
    let name = devices()[0]["name"].as_str().unwrap().to_owned();
    let refused = ["no adapter is at the PCI address 0000:ff:1f.7. There are: 0 = ", &name, "`cpu` for the reference"];
    for address in [NOWHERE, "FF:1f.7", "00000000:ff:1f.7"] {
        let output = densenet().args(["classify", PICTURE, "--model", "digits", "--device", address]).output().unwrap();
        assert_refused(&output, &refused);
    }
}

#[test]
fn the_variable_is_the_default_and_the_flag_wins() {
    let arguments = ["classify", PICTURE, "--format", "csv", "--model", "digits"];
    let by_flag = densenet().arg("classify").args([PICTURE, "--format", "csv"]).args(CPU).output().unwrap();
    let by_variable = with_variable("cpu", &arguments);
    let by_both = with_variable("no such device", &[&arguments[..], &["--device", "cpu"]].concat());
    for output in [&by_flag, &by_variable, &by_both] {
        assert_says(output, 0, &[]);
        assert_eq!(stdout(output), stdout(&by_flag));
        assert!(String::from_utf8_lossy(&output.stderr).contains(SLOW));
    }
    assert_says(&with_variable("", &arguments), 0, &[]);
}

#[test]
fn a_bad_value_of_the_variable_names_it() {
    let model = ["--model", "digits"];
    for (value, arguments, refused) in [
        ("gefroce", &["classify", PICTURE][..], "DENSENET_DEVICE=gefroce: no adapter is called \"gefroce\""),
        (NOWHERE, &["classify", PICTURE], "DENSENET_DEVICE=0000:ff:1f.7: no adapter is at the PCI address"),
        ("0,0", &["classify", PICTURE], "DENSENET_DEVICE=0,0: expected each device once, found"),
        ("0,cpu", &["bench"], "DENSENET_DEVICE=0,cpu: expected one device, found 2; classify, embed, evaluate and fit take several"),
        ("cpu", &["verify"], "DENSENET_DEVICE=cpu: expected a device to hold to the reference, found the reference itself"),
        ("cpu", &["classify", PICTURE, "--precision", "f16"], "DENSENET_DEVICE=cpu: expected --precision f32"),
    ] {
        assert_refused(&with_variable(value, &[arguments, &model].concat()), &[refused]);
    }
    assert_refused(&with_variable("cpu", &["report"]), &["DENSENET_DEVICE=cpu: expected a device to report on"]);
    assert_refused(
        &with_variable("gefroce", &["report"]),
        &["DENSENET_DEVICE=gefroce: no adapter is called \"gefroce\"", "There are: 0 = "],
    );
}

#[test]
fn software_is_used_with_a_warning_refused_or_allowed() {
    let is_software = devices()[0]["kind"] == "software device";
    let run = |arguments: &[&str]| {
        let output = densenet().args(["classify", PICTURE, "--model", "digits"]).args(arguments).output().unwrap();
        let warns = String::from_utf8_lossy(&output.stderr).contains("warning: no GPU in use: ");
        (output, warns)
    };
    let (by_default, warns) = run(&[]);
    assert_says(&by_default, 0, &[]);
    assert_eq!(warns, is_software);
    let (allowed, warns) = run(&["--software", "allow"]);
    assert_says(&allowed, 0, &[]);
    assert!(!warns);
    assert_eq!(stdout(&allowed), stdout(&by_default));
    for arguments in [&["--software", "refuse"][..], &["--software", "refuse", "--device", "0"]] {
        let (refused, _) = run(arguments);
        if is_software {
            assert_refused(&refused, &["expected a GPU, found ", "a software device", "install the GPU's driver", "(--software allow)"]);
        } else {
            assert_says(&refused, 0, &[]);
        }
    }
    assert_says(&run(&["--software", "refuse", "--device", "cpu"]).0, 0, &[]);
}
