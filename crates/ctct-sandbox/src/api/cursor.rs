//! Cursors and the links that carry them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::answer::Refusal;
use super::query::Query;

/// The `_links` of a page: the next page, where there is one.
#[derive(Debug, Default, Serialize)]
pub(super) struct Links {
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Href>,
}

#[derive(Debug, Serialize)]
struct Href {
    href: String,
}

impl Links {
    /// A link to `path`, with a cursor in `parameter` that stands for this query string.
    ///
    /// The cursor is base64 with its padding, and not escaped.
    pub(super) fn to(path: &str, parameter: &str, query: &str) -> Self {
        let cursor = encoded(query);
        Self { next: Some(Href { href: format!("{path}?{parameter}={cursor}") }) }
    }
}

/// The cursor that stands for a query string.
pub(super) fn encoded(query: &str) -> String {
    STANDARD.encode(query)
}

/// The query to answer: the one inside the cursor where there is a cursor (what else
/// was sent does not matter then), else the one that was sent; and whether it was a
/// cursor's.
pub(super) fn resolve(sent: &Query, parameter: &'static str) -> Result<(Query, bool), Refusal> {
    let Some(cursor) = sent.get(parameter) else { return Ok((sent.clone(), false)) };
    let text = STANDARD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let query = Query::parse(&text.ok_or(Refusal::Invalid(parameter))?);
    if query.get("limit").is_none() {
        return Err(Refusal::Invalid(parameter));
    }
    Ok((query, true))
}

/// Builds the query string inside a cursor, in the API's manner: values escaped,
/// lists as `name[]`.
#[derive(Debug, Default)]
pub(super) struct CursorQuery {
    pairs: Vec<(String, String)>,
}

impl CursorQuery {
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts are written in place")]
    pub(super) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.pairs.push((name.to_owned(), value.to_string()));
        self
    }

    pub(super) fn with_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn with_list<'a>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        for value in values {
            self.pairs.push((format!("{name}[]"), value.to_owned()));
        }
        self
    }

    pub(super) fn text(self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.pairs).finish()
    }
}

/// One page of rows, and whether there is another.
pub(super) fn page<T>(rows: &[T], skip: usize, limit: usize) -> (&[T], bool) {
    let first = skip.min(rows.len());
    let end = first.saturating_add(limit).min(rows.len());
    (&rows[first..end], end < rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_the_query_that_it_stands_for() {
        let text = CursorQuery::default()
            .with("limit", 5)
            .with("next", 2)
            .with_list("status", ["all"])
            .with_some("updated_after", Some("2022-03-11T22:09:02+00:00"))
            .with_some("email", None::<&str>)
            .text();
        assert_eq!(
            text,
            "limit=5&next=2&status%5B%5D=all&updated_after=2022-03-11T22%3A09%3A02%2B00%3A00"
        );
        let href = Links::to("/v3/contacts", "cursor", &text).next.expect("a link").href;
        let sent = Query::parse(href.split_once('?').expect("a query").1);
        let (query, from_cursor) = resolve(&sent, "cursor").expect("valid");
        assert!(from_cursor);
        assert_eq!(query, Query::parse(&text));
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        for cursor in ["garbage", "%FF", "bm8=", "////"] {
            let sent = Query::parse(&format!("cursor={cursor}"));
            assert_eq!(resolve(&sent, "cursor"), Err(Refusal::Invalid("cursor")), "{cursor}");
        }
    }

    #[test]
    fn pages_end_where_the_rows_end() {
        assert_eq!(page(&[1, 2, 3], 0, 2), (&[1, 2][..], true));
        assert_eq!(page(&[1, 2, 3], 2, 2), (&[3][..], false));
        assert_eq!(page(&[1, 2, 3], 1, 2), (&[2, 3][..], false));
        assert_eq!(page(&[1, 2, 3], usize::MAX, usize::MAX), (&[][..], false));
    }
}
