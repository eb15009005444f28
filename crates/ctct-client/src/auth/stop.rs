//! Places at which a test stops a process, to kill it there.

/// Stops for good where `CTCT_STOP_AT` names this step, after leaving the file `stopped`
/// in `CTCT_HOME`. Built only with the feature `stop-points`, which no release has.
#[cfg(feature = "stop-points")]
pub(super) fn stop_point(step: &str) {
    if std::env::var("CTCT_STOP_AT").is_ok_and(|named| named == step) {
        let home = std::env::var_os("CTCT_HOME").unwrap_or_default();
        drop(std::fs::write(std::path::Path::new(&home).join("stopped"), step));
        loop {
            std::thread::park();
        }
    }
}

/// Without the feature there is nothing to stop at.
#[cfg(not(feature = "stop-points"))]
pub(super) fn stop_point(_step: &str) {}
