//! Guessing which name was meant.

/// The candidate that `written` most probably means: the closest one, if it is close
/// enough that a slip of the fingers explains the difference.
///
/// ```
/// use ctct_client::likely;
///
/// assert_eq!(likely("contact", ["contacts", "segments"]), Some("contacts"));
/// assert_eq!(likely("emial_address", ["email_address", "first_name"]), Some("email_address"));
/// assert_eq!(likely("zebra", ["contacts", "segments"]), None);
/// ```
pub fn likely<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let scored = candidates.into_iter().map(|candidate| {
        let mut score = strsim::normalized_damerau_levenshtein(&written, &candidate.to_lowercase());
        // `updated` for `updated_at`, `tags` for `contact_tags`: part of a name is a good guess.
        if written.len() >= 3 && candidate.to_lowercase().split('_').any(|word| word == written) {
            score = score.max(0.7);
        }
        (score, candidate)
    });
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))?;
    (best.0 >= 0.6).then_some(best.1)
}
