//! `init`, `plan`, `completions` and help.

use std::fs;
#[cfg(unix)]
use std::path::Path;
use std::process::Command;

use densenet_wgpu::{Checkpoint, Config};

use crate::{assert_refused, assert_says, densenet, folder, json_lines, stderr, stdout};

#[test]
fn init_writes_the_same_checkpoint_for_the_same_seed() {
    let folder = folder();
    let init = |name: &str, seed: &str| {
        let path = folder.path().join(name);
        let output = densenet().args(["init", "--arch", "densenet121", "--classes", "3", "--seed", seed]).arg(&path).output().unwrap();
        assert_says(&output, 0, &["6956931 parameters"]);
        fs::read(path).unwrap()
    };
    let [a, b, c] = [init("a.safetensors", "1"), init("a.safetensors", "1"), init("a.safetensors", "2")];
    assert!(a == b && a != c);
    let checkpoint = Checkpoint::open(folder.path().join("a.safetensors")).unwrap();
    assert_eq!(checkpoint.config, Config::densenet121().with_classes(Some(3)));
    let none = folder.path().join("none/a.safetensors");
    assert_refused(&densenet().args(["init", "--arch", "densenet121"]).arg(&none).output().unwrap(), &["none/a.safetensors"]);
    assert_refused(
        &densenet().args(["init", "--arch", "densnet121", "x"]).output().unwrap(),
        &["did you mean densenet121?", "densenet264"],
    );
}

#[test]
fn plan_shows_the_kernels_of_a_device() {
    let plan = |device: &str| densenet().args(["plan", "--model", "digits", "--device", device]).output().unwrap();
    let planned = plan("0");
    assert_says(&planned, 0, &[]);
    assert!(stdout(&planned).contains("features.conv0"), "{}", stdout(&planned));
    assert_refused(&plan("cpu"), &["--device cpu", "the reference"]);
    assert_refused(&plan("no such device"), &["\"no such device\". There are: 0 = ", "`cpu`"]);
    let devices = densenet().args(["devices", "--format", "json"]).output().unwrap();
    let name = json_lines(&devices)[0]["devices"][0]["name"].as_str().unwrap().to_owned();
    let word = name.split(|c: char| !c.is_alphanumeric()).find(|word| word.len() > 4).unwrap();
    let misspelled = format!("{}~{}", &word[..1], &word[2..]);
    assert_refused(&plan(&misspelled), &[&misspelled, &format!("did you mean {word}? There are: 0 = {name}")]);
}

#[test]
fn plan_prints_without_a_device() {
    let run = |arguments: &[&str]| densenet().arg("plan").args(arguments).output().unwrap();
    let fused = run(&["--arch", "densenet121", "--batch", "2"]);
    assert_says(&fused, 0, &[]);
    assert!(stdout(&fused).contains("features.denseblock4.denselayer16.conv2"), "{}", stdout(&fused));
    let blurred = run(&["--arch", "densenetblur121d"]);
    assert_says(&blurred, 0, &[]);
    assert!(stdout(&blurred).contains("features.pool0.1"), "{}", stdout(&blurred));
    let unfused = run(&["--model", "digits", "--no-fusion", "--size", "32x48"]);
    assert_says(&unfused, 0, &[]);
    assert!(stdout(&unfused).contains("features.norm0"), "{}", stdout(&unfused));
    assert_refused(&run(&[]), &["--model"]);
    assert_refused(&run(&["--arch", "densenet12"]), &["densenet121"]);
    assert_refused(&run(&["--arch", "densenet121", "--size", "16x16"]), &["3x16x16", "too small"]);
    assert_refused(&run(&["--arch", "densenet121", "--batch", "0"]), &["--batch"]);
}

#[test]
fn completions_are_printed_for_known_shells() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = densenet().args(["completions", shell]).output().unwrap();
        assert_says(&output, 0, &[]);
        assert!(stdout(&output).contains("densenet"));
    }
    assert_refused(&densenet().args(["completions", "csh"]).output().unwrap(), &["bash"]);
}

/// What bash offers for `line`, whose last word is unfinished, in `folder`.
#[cfg(unix)]
fn completed(line: &str, folder: &Path) -> Vec<String> {
    let script = folder.join("completions.bash");
    fs::write(&script, densenet().args(["completions", "bash"]).output().unwrap().stdout).unwrap();
    let ask = r#"source "$1"; COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); [[ $2 == *' ' ]] && { COMP_WORDS+=(''); ((++COMP_CWORD)); }
        _densenet densenet "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"; printf '%s\n' "${COMPREPLY[@]}""#;
    let output = Command::new("bash").args(["--norc", "-c", ask, "bash"]).arg(&script).arg(line).current_dir(folder).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{line:?}");
    stdout(&output).lines().map(str::to_owned).collect()
}

#[test]
#[cfg(unix)]
fn bash_completes_commands_flags_and_known_values() {
    let folder = folder();
    let offers = |line: &str, expected: &[&str]| {
        let found = completed(line, folder.path());
        assert!(expected.iter().all(|value| found.iter().any(|found| found == value)), "{line:?}: {found:?}");
        found
    };
    offers("densenet ", &["classify", "verify", "man", "--help"]);
    assert_eq!(offers("densenet cl", &["classify"]).len(), 1);
    offers("densenet classify --", &["--model", "--heatmap", "--top-k", "--color"]);
    assert_eq!(offers("densenet classify --model di", &["digits"]).len(), 1);
    offers("densenet inspect densenet121-", &["densenet121-res224-all"]);
    offers("densenet classify --preprocess ", &["torchvision", "cifar"]);
    offers("densenet plan --arch ", &["densenet121", "densenet264d"]);
    offers("densenet bench --format ", &["table", "json"]);
}

#[test]
fn known_values_keep_files_from_no_shell() {
    let script = |shell: &str| stdout(&densenet().args(["completions", shell]).output().unwrap());
    let zsh = script("zsh");
    assert!(
        zsh.contains("]:M:_densenet_models'") && zsh.contains("]:P:_densenet_presets'") && zsh.contains("]:L:_densenet_labels'"),
        "{zsh}"
    );
    assert_eq!(zsh.matches("(digits densenet121").count(), 1, "in the function alone");
    let fish = script("fish");
    let flags = ["-l model ", "-l preprocess ", "-l labels "];
    let models: Vec<&str> = fish.lines().filter(|line| flags.iter().any(|flag| line.contains(flag))).collect();
    assert!(models.len() > 10 && models.iter().all(|line| line.contains(" -r -F -a ")), "{models:?}");
}

#[test]
fn manual_pages_are_what_man_reads() {
    let folder = folder();
    let output = densenet().arg("man").output().unwrap();
    assert_says(&output, 0, &[]);
    let page = stdout(&output);
    assert!(page.contains(".TH densenet 1") && page.contains(".SH EXAMPLES"), "{page}");
    assert_says(&densenet().args(["man", "--output"]).arg(folder.path().join("new/man1")).output().unwrap(), 0, &["pages"]);
    let help = stdout(&densenet().arg("--help").output().unwrap());
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).filter(|command| *command != "help").collect();
    assert!(commands.len() >= 14, "{commands:?}");
    for command in commands {
        let path = folder.path().join(format!("new/man1/densenet-{command}.1"));
        let page = fs::read_to_string(&path).unwrap();
        for part in [format!(".TH densenet-{command} 1"), "\n.SH EXAMPLES\n.nf\n".into(), "\n.SH SYNOPSIS\n".into()] {
            assert!(page.contains(&part), "{part:?} is not in\n{page}");
        }
        // Where groff is, which complains about what it cannot read.
        if let Ok(formatted) = Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(&path).output() {
            assert_eq!((formatted.status.code(), stderr(&formatted).as_str()), (Some(0), ""), "{command}");
        }
    }
    assert_refused(&densenet().args(["man", "--output", "/dev/null/man1"]).output().unwrap(), &["/dev/null/man1"]);
}

#[test]
fn help_is_a_result_and_misuse_is_not() {
    for command in [
        "classify",
        "embed",
        "evaluate",
        "fit",
        "infer",
        "inspect",
        "convert",
        "init",
        "plan",
        "bench",
        "profile",
        "tune",
        "verify",
        "report",
        "devices",
        "completions",
        "man",
    ] {
        let output = densenet().args([command, "--help"]).output().unwrap();
        assert_says(&output, 0, &[]);
        assert!(stdout(&output).contains("Examples:\n"), "{command}");
        assert_eq!(stdout(&densenet().args(["help", command]).output().unwrap()), stdout(&output));
        let short = stdout(&densenet().args([command, "-h"]).env("COLUMNS", "100").output().unwrap());
        let options = short.split("Examples:").next().unwrap();
        assert!(!options.contains("\n                "), "more than a line for a flag in\n{options}");
    }
    assert_refused(&densenet().output().unwrap(), &["Usage"]);
    assert_refused(&densenet().args(["classify", "--model", "digits"]).output().unwrap(), &["PATH"]);
    assert_refused(&densenet().args(["clasify"]).output().unwrap(), &["classify"]);
}
