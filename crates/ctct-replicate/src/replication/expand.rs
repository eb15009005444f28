//! From names and patterns to the streams of a run.

use ctct_client::likely;
use ctct_endpoints::{Endpoint, find};
use glob::Pattern;

use super::{Replication, StreamSettings};
use crate::{Error, Result};

/// A stream of a run, with the defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// What is said of it.
    pub settings: StreamSettings,
}

/// Whether a pattern stands for a table, too: not where it is read row by row of a large one,
/// which takes a request for each.
fn is_meant_by_patterns(endpoint: &Endpoint) -> bool {
    let mut parent = endpoint.parent;
    while let Some(table) = parent {
        let Some(walked) = find(table.table) else { break };
        if walked.parent.is_none() && walked.estimated_rows > MOST_ROWS {
            return false;
        }
        parent = walked.parent;
    }
    true
}

/// A day has not many more requests than this.
const MOST_ROWS: u64 = 10_000;

impl Replication {
    /// The streams: those that are named, and tables that a pattern stands for and that are not
    /// named. `only` keeps those that it names, by name or as `tag:x`.
    ///
    /// # Errors
    /// Where a name is no table and has no `sql`, or where `only` names none of the streams.
    pub fn expand(&self, only: &[String]) -> Result<Vec<Stream>> {
        let is_said = |name: &str| self.streams.iter().any(|(known, _)| known == name);
        let mut streams = Vec::new();
        for (name, said) in &self.streams {
            let settings = said.clone().or(&self.defaults);
            if name.contains(['*', '?', '[']) && said.sql.is_none() {
                let pattern = Pattern::new(name).map_err(|error| {
                    Error::configuration(format!("the pattern {name} is none: {}", error.msg))
                })?;
                let tables = ctct_endpoints::all().iter().filter(|endpoint| {
                    pattern.matches(endpoint.table)
                        && !is_said(endpoint.table)
                        && is_meant_by_patterns(endpoint)
                });
                streams.extend(tables.map(|endpoint| Stream {
                    name: endpoint.table.to_owned(),
                    settings: settings.clone(),
                }));
            } else if settings.sql.is_some() || find(name).is_some() {
                streams.push(Stream { name: name.clone(), settings });
            } else {
                let error = Error::configuration(format!("there is no table {name}"));
                let tables = ctct_endpoints::all().iter().map(|endpoint| endpoint.table);
                return Err(match likely(name, tables) {
                    Some(meant) => error.with_hint(format!("did you mean {meant}?")),
                    None => error.with_hint("`ctct conns discover` lists the tables"),
                });
            }
        }
        streams.retain(|stream| stream.settings.disabled != Some(true));
        if only.is_empty() {
            return Ok(streams);
        }
        let is_named = |wanted: &String, stream: &Stream| match wanted.strip_prefix("tag:") {
            Some(tag) => stream.settings.tags.iter().flatten().any(|known| known == tag),
            None => stream.name == *wanted,
        };
        if let Some(wanted) =
            only.iter().find(|wanted| !streams.iter().any(|stream| is_named(wanted, stream)))
        {
            let error = Error::configuration(format!("there is no stream {wanted}"));
            let names = streams.iter().map(|stream| stream.name.as_str());
            return Err(match likely(wanted, names) {
                Some(meant) => error.with_hint(format!("did you mean {meant}?")),
                None => error.with_hint("`--dry-run` lists the streams"),
            });
        }
        streams.retain(|stream| only.iter().any(|wanted| is_named(wanted, stream)));
        Ok(streams)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(streams: &str, only: &[&str]) -> Vec<String> {
        let text = format!("source: S\ntarget: T\nstreams:\n{streams}");
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        let streams = Replication::parse(&text).expect("valid").expand(&only).expect("streams");
        streams.into_iter().map(|stream| stream.name).collect()
    }

    #[test]
    fn patterns_stand_for_what_is_not_named() {
        let all = names("  '*':\n", &[]);
        assert!(all.contains(&"contacts".to_owned()) && all.contains(&"email_opens".to_owned()));
        assert!(!all.contains(&"contact_activity".to_owned()), "a request for each contact");
        assert!(!all.contains(&"landing_page_opens".to_owned()), "the same");
        assert_eq!(
            names("  contact_*s:\n  contact_tags: { disabled: true }\n", &[])
                .first()
                .map(String::as_str),
            Some("contact_counts")
        );
        assert!(
            !names("  contact_*:\n  contact_tags: { disabled: true }\n", &[])
                .contains(&"contact_tags".to_owned())
        );
        assert_eq!(names("  contact_activity:\n", &[]), ["contact_activity"]);
    }

    #[test]
    fn runs_can_be_narrowed_by_name_and_by_tag() {
        let streams = "  contacts: { tags: [daily] }\n  segments:\n  mine: { sql: 'SELECT 1' }\n";
        assert_eq!(names(streams, &["mine"]), ["mine"]);
        assert_eq!(names(streams, &["tag:daily", "segments"]), ["contacts", "segments"]);
        let replication = Replication::parse(&format!("source: S\ntarget: T\nstreams:\n{streams}"));
        let error = replication.expect("valid").expand(&["contact".into()]).expect_err("none");
        assert_eq!(error.hint(), Some("did you mean contacts?"));
    }
}
