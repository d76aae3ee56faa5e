//! A person at a terminal: tmux, a shell in it, and what is on the screen.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{PATIENCE, draw, folder};

/// A shell in a tmux server of its own.
struct Session {
    folder: TempDir,
}

impl Session {
    fn open(width: u16, height: u16) -> Self {
        let session = Self { folder: folder() };
        let mut tmux = session.tmux();
        tmux.args(["-f", "/dev/null", "new-session", "-d", "-x", &width.to_string(), "-y", &height.to_string(), "bash --norc --noprofile"]);
        tmux.env("LC_ALL", "C.UTF-8").env("HF_HUB_OFFLINE", "1").env("DENSENET_CACHE_DIR", "");
        for variable in ["NO_COLOR", "CLICOLOR_FORCE", "TMUX"] {
            tmux.env_remove(variable);
        }
        let opened = tmux.output().expect("this test needs tmux");
        assert!(opened.status.success(), "{opened:?}");
        session.wait_for(|screen| !screen.trim().is_empty(), "a prompt");
        session
    }

    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.folder.path().join("socket"));
        tmux
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.tmux().args(arguments).output().unwrap()
    }

    /// Types `keys`, by tmux's names or as they are.
    fn type_in(&self, keys: &[&str]) {
        let sent = self.output(&[&["send-keys"], keys].concat());
        assert!(sent.status.success(), "{sent:?}");
    }

    fn screen(&self) -> String {
        String::from_utf8(self.output(&["capture-pane", "-p"]).stdout).unwrap()
    }

    /// Waits for a screen that is as it should be, and returns it.
    #[track_caller]
    fn wait_for(&self, is_so: impl Fn(&str) -> bool, what: &str) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}; the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // There may be no server any more.
        let _ = self.output(&["kill-server"]);
    }
}

/// What `--resume` has written so far.
fn rows(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |rows| rows.lines().count())
}

#[test]
fn a_run_is_watched_ended_and_goes_on() {
    let folder = folder();
    let (inputs, results) = (folder.path().join("in"), folder.path().join("rows.jsonl"));
    (0..20).for_each(|index| draw(inputs.join(format!("{index:02}.png"))));
    // Nothing writes to this pipe, so that the first run never ends by itself.
    let pipe = inputs.join("20.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());

    let session = Session::open(100, 30);
    let paths = format!("{}/*.png", inputs.display());
    let command = format!("{} classify {paths} --model digits --device cpu --batch 1", env!("CARGO_BIN_EXE_densenet"));
    let resumed = format!("{command} --resume {}; echo status $?", results.display());
    session.type_in(&["clear", "Enter"]);
    session.type_in(&[&resumed, "Enter"]);
    let screen = session.wait_for(|screen| screen.contains(" 20/21, "), "a bar that says how far it is");
    let bars: Vec<&str> = screen.lines().filter(|line| line.contains("20/21")).collect();
    assert!(bars.len() == 1 && bars[0].contains('█') && bars[0].contains(" images/s, ") && bars[0].ends_with(" left"), "{screen}");
    assert!(screen.contains("0 rows exist, 21 inputs are left"), "{screen}");
    assert_eq!(rows(&results), 20);

    session.type_in(&["C-c"]);
    let screen = session.wait_for(|screen| screen.contains("status 130"), "the end after Ctrl-C");
    assert!(screen.contains("stopped by a signal: 20 of 21 inputs have a row; the same command continues"), "{screen}");
    assert!(!screen.contains('█'), "the bar is gone:\n{screen}");

    fs::remove_file(&pipe).unwrap();
    draw(&pipe);
    session.type_in(&["clear", "Enter"]);
    session.wait_for(|screen| !screen.contains("status"), "an empty screen");
    session.type_in(&[&resumed, "Enter"]);
    let screen = session.wait_for(|screen| screen.contains("status 0"), "the end");
    assert!(screen.contains("20 rows exist, 1 inputs are left") && !screen.contains('█'), "{screen}");
    assert_eq!(rows(&results), 21);

    // With rows on the same screen none is lost behind the bar, and the bar is the last line while it is there.
    session.type_in(&["clear", "Enter"]);
    session.wait_for(|screen| !screen.contains("status"), "an empty screen");
    session.type_in(&[&format!("{command} --top-k 1 | tail -n 100; {command} --top-k 1; echo status $?"), "Enter"]);
    let screen = session.wait_for(|screen| screen.contains("status 0"), "the end");
    let seen: Vec<&str> = screen.lines().filter_map(|line| line.trim_end().strip_suffix(".png")?.rsplit('/').next()).collect();
    let expected: Vec<String> = (0..21).map(|index| format!("{index:02}")).collect();
    assert!(seen.len() >= 10 && expected.ends_with(&seen.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()), "{screen}");
    assert!(!screen.contains("images/s"), "{screen}");
}
