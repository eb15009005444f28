//! `ctct quota`: what an API key has used of its day.

use datafusion_ctct::Quota;

use crate::arguments::{Arguments, Format};
use crate::exit::Failure;
use crate::report::harmless;
use crate::setup::{Setup, set_up};
use crate::{output, run};

/// Shows the quota of the connection in use; sends nothing.
pub(crate) async fn show(arguments: &Arguments) -> Result<(), Failure> {
    let setup = set_up(arguments, None).await?;
    let Some(connection) = &setup.connection else {
        return Err(crate::auth::no_connection());
    };
    if arguments.format != Format::Table {
        return run::print(&setup, "SELECT * FROM ctct.system.quota", arguments.format).await;
    }
    for line in lines(&connection.name, &setup.traffic.quota(connection)) {
        output::line(&line)?;
    }
    Ok(())
}

/// What is left today of the key of the connection in use, in a few words.
pub(crate) fn left_today(setup: &Setup) -> Option<String> {
    let quota = setup.traffic.quota(setup.connection.as_ref()?);
    Some(format!("{} left today", thousands(quota.left())))
}

/// What is used and left of a key's day, for people.
pub(crate) fn lines(name: &str, quota: &Quota) -> Vec<String> {
    let mut lines = vec![format!(
        "{name}: {} of {} requests used on {} (UTC), {} left",
        thousands(quota.used),
        thousands(quota.limit),
        quota.day,
        thousands(quota.left())
    )];
    for (command, used) in &quota.by_command {
        lines.push(format!("  {:>8}  {command}", thousands(*used)));
    }
    lines.push(format!("renews at {}", quota.renews_at.format("%Y-%m-%d %H:%M UTC")));
    lines
        .push(format!("{} are kept for people; replications stop there", thousands(quota.reserve)));
    if quota.closed {
        lines.push("the server said that the day is used up".to_owned());
    }
    if let Some((said, at)) = &quota.said {
        let at = at.format("%Y-%m-%d %H:%M:%S UTC");
        lines.push(format!("the server last complained at {at}: {}", harmless(said)));
    }
    lines.push(
        "counted on this machine; other machines that use the same key are not seen".to_owned(),
    );
    lines
}

/// A number as people read it: 12,345.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }
}
