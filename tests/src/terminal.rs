//! A program in a terminal of its own: keys are sent to it, and its screen is read.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a screen may take to show something.
const PATIENCE: Duration = Duration::from_secs(40);

/// A terminal, which ends with the value.
#[derive(Debug)]
pub struct Terminal {
    socket: String,
}

impl Terminal {
    /// Starts a program in a terminal of so many columns and rows.
    ///
    /// # Panics
    /// Where there is no tmux on this machine.
    pub fn open(program: &Command, (columns, rows): (u16, u16)) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let terminal = Self { socket: format!("ctct-tests-{}-{number}", std::process::id()) };
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
        let mut words: Vec<String> =
            ["env", "-i", "TERM=screen-256color", "LANG=C.UTF-8", "LESSHISTFILE=-"]
                .map(str::to_owned)
                .into();
        for (name, value) in program.get_envs() {
            let value = value.unwrap_or_default().to_string_lossy();
            words.push(format!("{}={value}", name.to_string_lossy()));
        }
        words.push(program.get_program().to_string_lossy().into_owned());
        words.extend(program.get_args().map(|word| word.to_string_lossy().into_owned()));
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        // What is on the screen stays there when the program has ended.
        let line = format!("{}; echo \"ended with $?\"; exec sleep 600", words.join(" "));
        terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-s",
            "t",
            "-x",
            &columns.to_string(),
            "-y",
            &rows.to_string(),
            &line,
        ]);
        terminal
    }

    /// Types a text, and Enter.
    ///
    /// # Panics
    /// Where the terminal is gone.
    pub fn enter(&self, text: &str) {
        self.text(text);
        self.key("Enter");
    }

    /// Types a text.
    ///
    /// # Panics
    /// Where the terminal is gone.
    pub fn text(&self, text: &str) {
        // A semicolon at the end would end tmux's own command.
        let text = match text.strip_suffix(';') {
            Some(rest) => format!("{rest}\\;"),
            None => text.to_owned(),
        };
        self.tmux(&["send-keys", "-t", "t", "-l", "--", &text]);
    }

    /// Presses a key, by its name: `Tab`, `Enter`, `C-c`.
    ///
    /// # Panics
    /// Where the terminal is gone.
    pub fn key(&self, key: &str) {
        self.tmux(&["send-keys", "-t", "t", key]);
    }

    /// What the screen shows, without the empty lines at its end.
    ///
    /// # Panics
    /// Where the terminal is gone.
    pub fn screen(&self) -> String {
        let shown = self.tmux(&["capture-pane", "-p", "-t", "t"]);
        shown.trim_end().to_owned()
    }

    /// Waits until the screen shows what is wanted, and gives it.
    ///
    /// # Panics
    /// Where it does not come.
    pub fn wait(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            assert!(began.elapsed() < PATIENCE, "{what} did not come:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the screen shows a text.
    ///
    /// # Panics
    /// Where it does not come.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        // In whatever language the machine is: what is read from the screen is UTF-8.
        let mut tmux = Command::new("tmux");
        tmux.env("LC_ALL", "C.UTF-8").args(["-u", "-L", &self.socket]).args(arguments);
        let output = tmux.output();
        let output = output.expect(
            "tmux is needed for these tests (Debian: apt-get install tmux); tests/run installs it",
        );
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?}: {told}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let ended = Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output();
        drop(ended);
    }
}
