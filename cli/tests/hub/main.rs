//! The real binary: published names and `hf://` addresses, and its messages where they cannot be fetched.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the library's tests use the rest")]
#[path = "../../../tests/hub/server.rs"]
mod server;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use densenet_wgpu::models;
use serde_json::Value;
use tempfile::TempDir;

use server::{CONFIG, PATIENCE, Reply, Server, WEIGHTS, files_in, for_two_at_once, until};

/// `classify` of one picture on the reference, with `home` for the cache and nothing else from the environment.
fn classify(endpoint: &str, home: &Path, arguments: &[&str]) -> Command {
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/pillow/L.png");
    let mut command = Command::new(env!("CARGO_BIN_EXE_densenet"));
    for variable in ["HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    command.env("HF_ENDPOINT", endpoint).env("HF_HOME", home).current_dir(home);
    command.args(["classify", "--device", "cpu", "--format", "json"]).arg(picture).args(arguments);
    command
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A small checkpoint whose own name is `digits`.
fn checkpoint() -> Vec<u8> {
    models::bundled("digits").unwrap().unwrap().to_bytes().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The model that the row names.
#[track_caller]
fn model(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    let row: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(row["top"].as_array().unwrap().len(), 5);
    row["model"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_refused(output: &Output, parts: &[&str]) {
    let said = stderr(output);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

/// An endpoint that refuses connections.
fn closed() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

#[test]
fn an_address_is_fetched_once() {
    let server = Server::new(&[(WEIGHTS, &checkpoint()), CONFIG]);
    let home = home();
    let run = || classify(&server.endpoint, home.path(), &["--model", "hf://owner/tiny"]);
    let first = run().output().unwrap();
    assert_eq!(model(&first), "hf://owner/tiny");
    assert_eq!(stderr(&first).matches("fetching hf://owner/tiny (").count(), 1, "{}", stderr(&first));
    let asked = server.lines();
    let second = run().output().unwrap();
    assert_eq!((&second.stdout, stderr(&second).contains("fetching")), (&first.stdout, false));
    assert_eq!(server.lines(), asked);
    assert_eq!(model(&run().env("HF_HUB_OFFLINE", "1").output().unwrap()), "hf://owner/tiny");
    assert!(home.path().join("hub/models--owner--tiny/refs/main").exists());
}

#[test]
fn a_published_name_is_the_models_name() {
    let server = Server::new(&[(WEIGHTS, &checkpoint())]);
    let home = home();
    let run = |arguments: &[&str]| classify(&server.endpoint, home.path(), arguments).output().unwrap();
    assert_eq!(model(&run(&["--model", "densenet121"])), "densenet121");
    let asked = server.lines();
    assert_eq!(asked[0], "HEAD /timm/densenet121.tv_in1k/resolve/main/model.safetensors");
    assert_eq!(model(&run(&[])), "densenet121", "what `classify` takes without --model");
    assert_eq!(model(&run(&["--model", "densenet121.tv_in1k"])), "densenet121.tv_in1k");
    assert_eq!(server.lines(), asked, "the same file");
}

#[test]
fn the_weights_of_torchvision_are_prepared_in_its_way_although_timm_describes_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/checkpoints/timm-config");
    let [weights, config] = [WEIGHTS, CONFIG.0].map(|name| fs::read(folder.join(name)).unwrap());
    let server = Server::new(&[(WEIGHTS, &weights), (CONFIG.0, &config)]);
    let home = home();
    for (name, source) in [("densenet121", "the model's name: the preset torchvision"), ("densenet121.tv_in1k", "config.json beside it")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_densenet"));
        command.env("HF_ENDPOINT", &server.endpoint).env("HF_HOME", home.path()).env_remove("HF_HUB_OFFLINE");
        let output = command.args(["inspect", name, "--format", "json"]).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["name"], &report["preprocessing_source"]), (&name.into(), &source.into()));
    }
}

#[test]
fn a_name_wins_over_a_file_which_a_path_reaches() {
    let server = Server::new(&[(WEIGHTS, &checkpoint())]);
    let home = home();
    fs::write(home.path().join("densenet121"), "no checkpoint").unwrap();
    let run = |name: &str| classify(&server.endpoint, home.path(), &["--model", name]).output().unwrap();
    assert_eq!(model(&run("densenet121")), "densenet121");
    assert_refused(&run("./densenet121"), &["./densenet121: "]);
}

#[test]
fn without_a_network_the_message_says_what_to_do() {
    let home = home();
    let closed = closed();
    let by_hand = ["--model PATH", "--model digits"];
    let model = &["--model", "densenet169"][..];
    let output = classify(&closed, home.path(), model).output().unwrap();
    let url = format!("{closed}/timm/densenet169.tv_in1k/resolve/main/model.safetensors");
    assert_refused(&output, &[&["densenet169 could not be fetched", &url, "refused"][..], &by_hand].concat());
    let output = classify(&closed, home.path(), &[]).output().unwrap();
    assert_refused(&output, &[&["densenet121 could not be fetched"][..], &by_hand].concat());
    for on in ["1", "true", "YES", "on"] {
        let output = classify(&closed, home.path(), model).env("HF_HUB_OFFLINE", on).output().unwrap();
        let cache = home.path().join("hub");
        assert_refused(&output, &[&["not in", cache.to_str().unwrap(), "HF_HUB_OFFLINE is set"][..], &by_hand].concat());
    }
    let output = classify(&closed, home.path(), model).env("HF_HUB_OFFLINE", "0").output().unwrap();
    assert_refused(&output, &["refused"]);
    assert_refused(&classify(&closed, home.path(), &["--model", "hf://owner"]).output().unwrap(), &["hf://owner: expected hf://"]);
    assert_eq!(files_in(home.path()).len(), 0);
}

#[test]
fn cache_and_token_come_from_the_environment() {
    let server = Server::bent(&[(WEIGHTS, &checkpoint())], |request, reply| {
        match request.is_to_store() || request.headers.get("authorization").is_some_and(|token| token == "Bearer hf_secret") {
            true => reply,
            false => Reply::new("401 Unauthorized", b""),
        }
    });
    let run = |home: &TempDir| classify(&server.endpoint, home.path(), &["--model", "hf://owner/private"]);
    let (of_nobody, of_variable, of_file, cache) = (home(), home(), home(), home());
    assert_refused(&run(&of_nobody).output().unwrap(), &["401 Unauthorized", "HF_TOKEN"]);

    assert_eq!(
        model(&run(&of_variable).env("HF_TOKEN", "hf_secret\n").env("HF_HUB_CACHE", cache.path()).output().unwrap()),
        "hf://owner/private"
    );
    assert!(cache.path().join("models--owner--private").exists());
    assert_eq!(files_in(of_variable.path()).len(), 0);

    fs::write(of_file.path().join("token"), "hf_secret\n").unwrap();
    assert_eq!(model(&run(&of_file).output().unwrap()), "hf://owner/private");
    assert!(of_file.path().join("hub/models--owner--private").exists());
}

#[test]
fn two_processes_may_fetch_at_once() {
    let server = Server::bent(&[(WEIGHTS, &checkpoint()), CONFIG], for_two_at_once());
    let home = home();
    let run = || classify(&server.endpoint, home.path(), &["--model", "densenet121"]).output().unwrap();
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(run);
        (run(), other.join().unwrap())
    });
    assert_eq!([model(&one), model(&other)], ["densenet121"; 2]);
    assert_eq!(files_in(home.path()).len(), 5, "{:?}", files_in(home.path()));
}

#[test]
fn a_process_that_was_ended_leaves_nothing_that_is_taken_for_the_file() {
    let weights = checkpoint();
    let endless = Server::bent(&[(WEIGHTS, &weights)], |request, reply| match request.is_to_store() {
        true => Reply { piece: 1000, pause: 2 * PATIENCE, ..reply },
        false => reply,
    });
    let home = home();
    let mut child = classify(&endless.endpoint, home.path(), &[]).stderr(Stdio::null()).spawn().unwrap();
    until(|| files_in(home.path()).iter().any(|path| fs::metadata(path).is_ok_and(|part| part.len() == 1000)));
    child.kill().unwrap();
    child.wait().unwrap();
    let server = Server::new(&[(WEIGHTS, &weights)]);
    let offline = classify(&server.endpoint, home.path(), &[]).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert_refused(&offline, &["not in"]);
    assert_eq!(model(&classify(&server.endpoint, home.path(), &[]).output().unwrap()), "densenet121");
}
