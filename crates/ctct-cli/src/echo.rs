//! Keeps a terminal from writing `^C` where somebody presses Ctrl-C: behind a line that is drawn
//! anew all the time it would break that line in two, and half of it would stay.

/// A terminal that does not show control characters, until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Unechoed {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

#[cfg(unix)]
impl Unechoed {
    /// Of standard input, where that is a terminal.
    pub(crate) fn new() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let input = std::io::stdin();
        let Ok(before) = tcgetattr(&input) else { return Self::default() };
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHOCTL);
        match tcsetattr(&input, OptionalActions::Now, &quiet) {
            Ok(()) => Self { before: Some(before) },
            Err(_) => Self::default(),
        }
    }
}

#[cfg(not(unix))]
impl Unechoed {
    /// Other systems show nothing there.
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

#[cfg(unix)]
impl Drop for Unechoed {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.before {
            // A terminal that is gone needs nothing any more.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
