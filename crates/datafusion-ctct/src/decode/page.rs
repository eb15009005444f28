//! Decoding pages, one after the other, strictly and then leniently.

use std::collections::BTreeSet;

use arrow::array::{Array, RecordBatch, RecordBatchOptions, StructArray};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;
use arrow::json::reader::Decoder;
use ctct_client::{Error, ErrorKind};
use ctct_endpoints::{Endpoint, Envelope};

use super::asked::Asked;
use super::conflicts::conflicting_columns;
use super::prepare::prepared;
use super::selection::Selection;
use super::shape::{ROWS, Shape};

/// Decodes the pages of one scan.
#[derive(Debug)]
pub(crate) struct PageDecoder {
    endpoint: &'static Endpoint,
    shape: Shape,
    schema: SchemaRef,
    warned: BTreeSet<&'static str>,
    /// What decodes strictly, kept from one page to the next for the memory that it has by
    /// now; none after it failed in the midst of a page.
    strict: Option<Decoder>,
    selection: Selection,
}

/// What a page holds.
#[derive(Debug)]
pub(crate) struct DecodedPage {
    /// The rows, with the columns that are read.
    pub(crate) rows: RecordBatch,
    /// How many rows the answer had; where those of the table are members of lists in them,
    /// that is another number.
    pub(crate) answered: u64,
    /// The link to the next page, where there is one.
    pub(crate) next_link: Option<String>,
    /// How many rows the whole answer has, where the page tells.
    pub(crate) count: Option<u64>,
    /// The columns of this page that had values of another type, which became null.
    pub(crate) conflicts: Vec<&'static str>,
}

impl PageDecoder {
    /// A decoder for these columns of an endpoint's answers.
    pub(crate) fn new(endpoint: &'static Endpoint, columns: &[&str]) -> Self {
        Self::with_shape(endpoint, Shape::new(endpoint, columns))
    }

    /// A decoder for answers that are one row of the endpoint.
    pub(crate) fn of_row(endpoint: &'static Endpoint, columns: &[&str]) -> Self {
        Self::with_shape(endpoint, Shape::of_row(endpoint, columns))
    }

    fn with_shape(endpoint: &'static Endpoint, shape: Shape) -> Self {
        let schema = shape.table_schema();
        let selection = Selection::new(&shape.answer_type());
        Self { endpoint, shape, schema, warned: BTreeSet::new(), strict: None, selection }
    }

    /// The schema of the rows.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes an answer's body.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] where the body is not the JSON of a page of this endpoint.
    #[cfg(any(feature = "fuzzing", test))]
    pub(crate) fn decode(&mut self, body: &[u8]) -> Result<DecodedPage, Error> {
        self.decode_for(body, &Asked::default())
    }

    /// Decodes the body of the answer to a request that knows this of its rows.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] where the body is not the JSON of a page of this endpoint.
    pub(crate) fn decode_for(&mut self, body: &[u8], asked: &Asked) -> Result<DecodedPage, Error> {
        let envelope = if self.shape.is_bare { Envelope::Bare } else { self.shape.envelope };
        let body = prepared(self.endpoint, envelope, self.shape.columns(), body);
        let mut selection = std::mem::take(&mut self.selection);
        let decoded = self.decode_selected(selection.of(&body));
        self.selection = selection;
        let (answer, conflicts) = decoded?;
        let rows = self.rows(&answer)?;
        let (columns, count) = self
            .shape
            .columns_of(&rows, asked)
            .map_err(|source| self.unexpected("cannot be taken apart").with_source(source))?;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|source| self.unexpected("does not fit its columns").with_source(source))?;
        let count = self.shape.count(&answer);
        Ok(DecodedPage {
            rows: batch,
            answered: rows.len() as u64,
            next_link: self.shape.next_link(&answer),
            count,
            conflicts,
        })
    }

    /// Decodes what is read of a body; with the columns that had values of another type.
    fn decode_selected(&mut self, body: &[u8]) -> Result<(StructArray, Vec<&'static str>), Error> {
        match self.decode_strictly(body) {
            Ok(answer) => Ok((answer, Vec::new())),
            Err(strict) => self.decode_leniently(body, strict),
        }
    }

    fn decode_strictly(&mut self, body: &[u8]) -> Result<StructArray, ArrowError> {
        let mut decoder = match self.strict.take() {
            Some(decoder) => decoder,
            None => decoder(&self.shape, false)?,
        };
        let answer = decode_with(&mut decoder, &self.shape, body)?;
        self.strict = Some(decoder);
        Ok(answer)
    }

    fn decode_leniently(
        &mut self,
        body: &[u8],
        strict: ArrowError,
    ) -> Result<(StructArray, Vec<&'static str>), Error> {
        // Rows without columns: what is left is the envelope and the number of rows.
        let envelope = decode(&self.shape.with_columns(Vec::new()), body, false)
            .map_err(|_| self.unexpected("is not a page of it").with_source(strict))?;
        let expected = self.rows(&envelope)?.len();
        let answer = decode(&self.shape, body, true)
            .map_err(|source| self.unexpected("cannot be read").with_source(source))?;
        let rows = self.rows(&answer)?;
        if rows.len() != expected
            || self.shape.next_link(&answer) != self.shape.next_link(&envelope)
        {
            return Err(self.unexpected("is read differently at each reading"));
        }
        let conflicts = conflicting_columns(&self.shape, body);
        for column in &conflicts {
            if self.warned.insert(column) {
                tracing::warn!(
                    "{}.{column} has values of an unexpected type; they are shown as NULL",
                    self.endpoint.table
                );
            }
        }
        Ok((answer, conflicts))
    }

    fn rows(&self, answer: &StructArray) -> Result<StructArray, Error> {
        let rows = self.shape.rows(answer);
        let rows = rows.ok_or_else(|| {
            self.unexpected(&format!("has no array `{}`", self.shape.rows_name()))
        })?;
        if rows.null_count() > 0 {
            return Err(self.unexpected("has a row that is not an object"));
        }
        Ok(rows)
    }

    fn unexpected(&self, how: &str) -> Error {
        Error::new(ErrorKind::Protocol, format!("the answer to GET {} {how}", self.endpoint.path))
    }
}

/// What decodes answers of a shape.
fn decoder(shape: &Shape, lenient: bool) -> Result<Decoder, ArrowError> {
    ReaderBuilder::new(shape.answer_schema())
        .with_batch_size(2)
        // Identifiers are text, also where the API sends numbers.
        .with_coerce_primitive(true)
        .with_ignore_type_conflicts(lenient)
        .build_decoder()
}

/// Decodes a body as exactly one record.
pub(super) fn decode(shape: &Shape, body: &[u8], lenient: bool) -> Result<StructArray, ArrowError> {
    decode_with(&mut decoder(shape, lenient)?, shape, body)
}

fn decode_with(
    decoder: &mut Decoder,
    shape: &Shape,
    body: &[u8],
) -> Result<StructArray, ArrowError> {
    if shape.is_bare {
        // One record, whatever is in it; what follows the array is no JSON then.
        decoder.decode(format!("{{\"{ROWS}\":").as_bytes())?;
    }
    let read = decoder.decode(body)?;
    let rest = body.get(read..).unwrap_or_default();
    if shape.is_bare {
        decoder.decode(b"}")?;
    }
    let batch = decoder.flush()?;
    match batch {
        Some(batch) if batch.num_rows() == 1 && rest.trim_ascii().is_empty() => Ok(batch.into()),
        _ => Err(ArrowError::JsonError("not exactly one JSON object".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
    use proptest::prelude::*;

    use super::*;

    fn decoder(table: &str, columns: &[&str]) -> PageDecoder {
        PageDecoder::new(ctct_endpoints::find(table).expect("declared"), columns)
    }

    fn text<'a>(page: &'a DecodedPage, column: &str) -> Vec<Option<&'a str>> {
        let column = page.rows.column_by_name(column).expect("a column");
        column.as_string::<i32>().iter().collect()
    }

    #[test]
    fn nested_and_missing_members_become_columns_and_nulls() {
        let body = br#"{"contacts":[
            {"contact_id":"a","email_address":{"address":"a@b.c"},"unknown":{"x":[1]}},
            {"contact_id":"b"}],"contacts_count":2,"_links":{"next":{"href":"/v3/contacts?cursor=x"}}}"#;
        let page = decoder("contacts", &["email_address", "email_opt_out_date", "contact_id"])
            .decode(body)
            .expect("a page");
        assert_eq!(text(&page, "contact_id"), [Some("a"), Some("b")]);
        assert_eq!(text(&page, "email_address"), [Some("a@b.c"), None]);
        assert_eq!(page.rows.column(1).null_count(), 2);
        assert_eq!(page.next_link.as_deref(), Some("/v3/contacts?cursor=x"));
        assert!(page.conflicts.is_empty());
        assert_eq!(page.count, Some(2));
    }

    #[test]
    fn every_documented_form_of_time_is_the_same_instant() {
        for written in [
            "2024-10-30T18:56:35Z",
            "2024-10-30T18:56:35.000Z",
            "2024-10-30T14:56:35-04:00",
            "2024-10-30T14:56:35.000-04:00",
            "2024-10-30T18:56:35.000+0000",
            "2024-10-30T18:56:35.000+00:00",
            "2024-10-30 10:56:35 -0800",
        ] {
            let body = format!(r#"{{"tags":[{{"created_at":"{written}"}}]}}"#);
            let page =
                decoder("contact_tags", &["created_at"]).decode(body.as_bytes()).expect(written);
            let times = page.rows.column(0).as_primitive::<TimestampMicrosecondType>();
            assert_eq!(times.value(0), 1_730_314_595_000_000, "{written}");
        }
    }

    #[test]
    fn numbers_may_be_text_and_identifiers_numbers() {
        let body = br#"{"segments":[{"segment_id":14},{"segment_id":"21"}]}"#;
        let page = decoder("segments", &["segment_id"]).decode(body).expect("a page");
        assert_eq!(text(&page, "segment_id"), [Some("14"), Some("21")]);
        let body = br#"{"bulk_email_campaign_summaries":[{"unique_counts":{"sends":"902"}}],
            "aggregate_percents":[{"click":"29.03"}]}"#;
        let page = decoder("email_campaign_summaries", &["unique_counts_sends"]).decode(body);
        let page = page.expect("a page");
        assert_eq!(page.rows.column(0).as_primitive::<Int64Type>().value(0), 902);
    }

    #[test]
    fn the_end_of_the_data_has_four_forms() {
        for links in
            ["", r#","_links":{}"#, r#","_links":null"#, r#","_links":{"next":{"href":null}}"#]
        {
            let body = format!(r#"{{"segments":[]{links}}}"#);
            let page = decoder("segments", &["name"]).decode(body.as_bytes()).expect(links);
            assert_eq!((page.rows.num_rows(), page.next_link), (0, None), "{links}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_costs_itself_only() {
        let body = br#"{"contacts":[
            {"contact_id":"a","created_at":"soon","birthday_month":4},
            {"contact_id":"b","created_at":"2024-10-30T18:56:35Z","birthday_month":5}],
            "_links":{"next":{"href":"?cursor=x"}}}"#;
        let mut decoder = decoder("contacts", &["contact_id", "created_at", "birthday_month"]);
        let page = decoder.decode(body).expect("a page");
        assert_eq!(page.conflicts, ["created_at"]);
        assert_eq!(text(&page, "contact_id"), [Some("a"), Some("b")]);
        assert!(page.rows.column(1).is_null(0) && page.rows.column(1).is_valid(1));
        assert_eq!(page.rows.column(2).null_count(), 0);
        assert_eq!(page.next_link.as_deref(), Some("?cursor=x"));
    }

    #[test]
    fn what_is_not_a_page_is_an_error_and_not_the_end() {
        for body in [
            "",
            "null",
            "[]",
            "<html>",
            "{}",
            r#"{"message":"hello"}"#,
            r#"{"contacts":null}"#,
            r#"{"contacts":{}}"#,
            r#"{"contacts":[1]}"#,
            r#"{"contacts":[null]}"#,
            r#"{"contacts":[{"contact_id":"a"}"#,
            r#"{"contacts":[{"contact_id":"a"}],"_links":[]}"#,
            r#"{"contacts":[{"contact_id":"a"}],"_links":{"next":"/v3/contacts?cursor=x"}}"#,
            r#"{"contacts":[{"contact_id":"a"}],"_links":{"next":{"href":{}}}}"#,
            r#"{"contacts":[]}{"contacts":[]}"#,
            r#"{"contacts":[]} trailing"#,
        ] {
            let result = decoder("contacts", &["contact_id", "created_at"]).decode(body.as_bytes());
            let error = result.map(|page| page.rows).expect_err(body);
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
        }
    }

    #[test]
    fn rows_without_columns_are_still_counted() {
        let body = br#"{"contacts":[{"contact_id":"a"},{}],"_links":{}}"#;
        let page = decoder("contacts", &[]).decode(body).expect("a page");
        assert_eq!((page.rows.num_columns(), page.rows.num_rows()), (0, 2));
    }

    #[test]
    fn a_cursor_leads_on_where_there_is_no_link() {
        let mut decoder = decoder("events", &["event_id"]);
        let body = br#"{"records":[{"event_id":"a"}],"next_cursor":"x-_=","_links":{"self":{}}}"#;
        let page = decoder.decode(body).expect("a page");
        assert_eq!(page.next_link.as_deref(), Some("?next=x%2D%5F%3D"));
        let body = br#"{"records":[],"next_cursor":null}"#;
        assert_eq!(decoder.decode(body).expect("a page").next_link, None);
    }

    #[test]
    fn what_has_no_form_is_text() {
        let body =
            br#"{"id":"a","active_definition":{"steps":[{"steps":[]}]},"draft_definition":null}"#;
        let columns = ["id", "active_definition", "draft_definition"];
        let page = decoder("automation_details", &columns).decode(body).expect("a page");
        assert_eq!(text(&page, "active_definition"), [Some(r#"{"steps":[{"steps":[]}]}"#)]);
        assert_eq!(text(&page, "draft_definition"), [None]);
    }

    #[test]
    fn dotted_names_are_those_with_underscores() {
        let body = br#"{"errors":[],"results":[{"campaign_activity_id":"a",
            "stats":{"em_opens":1,"em_opens.all":3,"em_opens.all.mobile":2}}]}"#;
        let columns = ["em_opens", "em_opens_all", "em_opens_all_mobile"];
        let page = decoder("email_activity_stats", &columns).decode(body).expect("a page");
        let values: Vec<i64> =
            page.rows.columns().iter().map(|c| c.as_primitive::<Int64Type>().value(0)).collect();
        assert_eq!(values, [1, 3, 2]);
    }

    #[test]
    fn what_was_asked_for_is_said_of_each_row() {
        let asked = Asked::default()
            .with("contact_id", "c".into())
            .with("period_start", "2025-01-01T00:00:00Z".into());
        let body = br#"{"contact_id":"c","average_open_rate":0.5}"#;
        let columns = ["period_start", "average_open_rate", "period_end"];
        let mut decoder = decoder("contact_open_and_click_rates", &columns);
        let page = decoder.decode_for(body, &asked).expect("a page");
        let times = page.rows.column(0).as_primitive::<TimestampMicrosecondType>();
        assert_eq!(times.value(0), 1_735_689_600_000_000);
        assert_eq!(page.rows.column(2).null_count(), 1);
    }

    #[test]
    fn an_object_is_one_row() {
        let body = br#"{"organization_name":"Shop","physical_address":{"city":"Here"}}"#;
        let columns = ["organization_name", "physical_address_city", "company_logo_url"];
        let page = decoder("account_summary", &columns).decode(body).expect("a page");
        assert_eq!(text(&page, "physical_address_city"), [Some("Here")]);
        assert_eq!(text(&page, "company_logo_url"), [None]);
        assert_eq!(page.next_link, None);
    }

    /// A page with all that a change of a few bytes could break.
    const PAGE: &str = r#"{"contacts":[{"contact_id":"a","email_address":{"address":"a@b.c",
        "created_at":"2024-10-30T18:56:35Z"},"notes":[{"content":"}\"]"}],"birthday_month":4,
        "created_at":"2024-10-30T18:56:35Z"},{"first_name":"","contact_id":"b","taggings":["x"]}],
        "contacts_count":2,"_links":{"self":{"href":"/v3"},"next":{"href":"?cursor=x"}}}"#;

    proptest! {
        #[test]
        fn rows_are_the_same_whatever_is_left_out(
            changes in prop::collection::vec(
                (any::<prop::sample::Index>(), prop::sample::select(br#"{}[]",:\ 1"#.to_vec())),
                0..5,
            ),
        ) {
            let mut body = PAGE.as_bytes().to_vec();
            for (at, byte) in changes {
                let at = at.index(body.len());
                body[at] = byte;
            }
            let columns = ["contact_id", "created_at", "taggings"];
            let mut whole = decoder("contacts", &columns);
            whole.selection = Selection::default();
            if let Ok(whole) = whole.decode(&body) {
                let read = decoder("contacts", &columns).decode(&body);
                prop_assert_eq!(format!("{read:?}"), format!("{:?}", Ok::<_, Error>(whole)));
            }
        }
    }
}
