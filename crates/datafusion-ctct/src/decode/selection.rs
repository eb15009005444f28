//! Cutting out of a page what no column reads, before it is decoded.
//!
//! Arrow's decoder writes every value of an answer down before it looks at the schema, and
//! most columns of a table are not read by most statements. Finding where an unread value
//! ends takes a fraction of that.
//!
//! What is kept is decided by the schema alone: members that it lacks are left out, the others
//! stay in their order and twice where they stand twice, their values byte by byte. So a page
//! that can be decoded as it came gives the same rows after this. Of what is left out only
//! quotes and brackets are looked at: a page that is broken there, where nobody looks, can be
//! decoded, too. Whatever this module does not understand it leaves to the decoder, whole.

use arrow::datatypes::{DataType, Fields};
use memchr::{memchr, memchr_iter, memchr2};

/// Pages of which more than one byte in this many is kept are not worth the second look.
const WORTHWHILE: usize = 2;
/// What is kept of a page smaller than this says nothing about others: it may have no rows.
const SMALL: usize = 16 << 10;

/// What is kept of the answers of one scan.
#[derive(Debug, Default)]
pub(super) struct Selection {
    wanted: Wanted,
    kept: Vec<u8>,
    /// Whether the last page that was not small had enough to be left out.
    is_worthwhile: bool,
}

impl Selection {
    /// What a decoder of this type reads.
    pub(super) fn new(of: &DataType) -> Self {
        Self { wanted: Wanted::of(of), kept: Vec::new(), is_worthwhile: true }
    }

    /// The part of a body that is read, or all of it.
    pub(super) fn of<'a>(&'a mut self, body: &'a [u8]) -> &'a [u8] {
        self.kept.clear();
        if !self.is_worthwhile {
            self.kept.shrink_to_fit();
            return body;
        }
        let mut page = Page { bytes: body, at: 0, kept: &mut self.kept };
        if page.keep(&self.wanted).is_none() {
            return body;
        }
        // What follows the value is judged by the decoder.
        page.keep_from(page.at, body.len());
        self.is_worthwhile = body.len() < SMALL || self.kept.len() * WORTHWHILE < body.len();
        &self.kept
    }
}

/// What is kept of a value.
#[derive(Debug, Default)]
enum Wanted {
    /// All of it.
    #[default]
    Whole,
    /// These members, where it is an object.
    Members(Vec<(String, Self)>),
    /// This of each item, where it is an array.
    Items(Box<Self>),
}

impl Wanted {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Struct(fields) => Self::members(fields),
            DataType::List(item) => match Self::of(item.data_type()) {
                Self::Whole => Self::Whole,
                item => Self::Items(Box::new(item)),
            },
            _ => Self::Whole,
        }
    }

    fn members(fields: &Fields) -> Self {
        let members = fields.iter().map(|f| (f.name().clone(), Self::of(f.data_type())));
        Self::Members(members.collect())
    }

    /// What is kept of a member with this name, as it is written.
    fn member<'a>(members: &'a [(String, Self)], name: &[u8]) -> Option<&'a Self> {
        members
            .iter()
            .find(|(wanted, _)| is_name(wanted, name))
            .map(|(_, wanted)| wanted)
            // A name may be written in other ways, and then it is not looked into.
            .or_else(|| name.contains(&b'\\').then_some(&Self::Whole))
    }
}

/// Whether a member has this name. The last byte tells most names of a length apart.
fn is_name(wanted: &str, name: &[u8]) -> bool {
    wanted.len() == name.len()
        && wanted.as_bytes().last() == name.last()
        && wanted.as_bytes() == name
}

/// A page, read from its begin to its end. Methods give nothing where they do not find what
/// they expect.
struct Page<'a> {
    bytes: &'a [u8],
    at: usize,
    kept: &'a mut Vec<u8>,
}

impl<'a> Page<'a> {
    /// Reads a value, and keeps what is wanted of it.
    fn keep(&mut self, wanted: &Wanted) -> Option<()> {
        match (wanted, self.next()?) {
            (Wanted::Members(members), b'{') => self.keep_members(members),
            (Wanted::Items(item), b'[') => self.keep_items(item),
            _ => {
                let begin = self.at;
                self.skip()?;
                self.keep_from(begin, self.at);
                Some(())
            }
        }
    }

    fn keep_members(&mut self, members: &[(String, Wanted)]) -> Option<()> {
        self.kept.push(b'{');
        self.at += 1;
        let mut separator = None;
        if self.next()? != b'}' {
            loop {
                self.next()?;
                let begin = self.at;
                let wanted = Wanted::member(members, self.name()?);
                let end_of_name = self.at;
                self.next()?;
                match wanted {
                    None => self.skip()?,
                    Some(wanted) => {
                        self.kept.extend(separator.replace(b','));
                        if let Wanted::Whole = wanted {
                            self.skip()?;
                            self.keep_from(begin, self.at);
                        } else {
                            self.keep_from(begin, end_of_name);
                            self.keep(wanted)?;
                        }
                    }
                }
                if self.is_end(b'}')? {
                    break;
                }
            }
        }
        self.at += 1;
        self.kept.push(b'}');
        Some(())
    }

    fn keep_items(&mut self, item: &Wanted) -> Option<()> {
        self.kept.push(b'[');
        self.at += 1;
        if self.next()? != b']' {
            loop {
                self.keep(item)?;
                if self.is_end(b']')? {
                    break;
                }
                self.kept.push(b',');
            }
        }
        self.at += 1;
        self.kept.push(b']');
        Some(())
    }

    /// Whether this bracket follows a value, before which this then is; else it is before what
    /// follows the comma.
    fn is_end(&mut self, bracket: u8) -> Option<bool> {
        match self.next()? {
            b',' => {
                self.at += 1;
                Some(false)
            }
            byte if byte == bracket => Some(true),
            _ => None,
        }
    }

    /// Reads the name of a member and the colon after it.
    fn name(&mut self) -> Option<&'a [u8]> {
        if self.next()? != b'"' {
            return None;
        }
        let begin = self.at + 1;
        self.skip_text()?;
        let name = self.bytes.get(begin..self.at - 1)?;
        if self.next()? != b':' {
            return None;
        }
        self.at += 1;
        Some(name)
    }

    /// The next byte that is no white space, before which this then is.
    fn next(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Reads over a value that begins here.
    fn skip(&mut self) -> Option<()> {
        match *self.bytes.get(self.at)? {
            b'"' => self.skip_text(),
            b'{' | b'[' => self.skip_nested(),
            _ => {
                let rest = self.bytes.get(self.at..)?;
                // Of numbers, true, false and null; what else follows is for the decoder.
                let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                let length = rest.iter().take_while(|byte| is_inside(byte)).count();
                self.at += length;
                (length > 0).then_some(())
            }
        }
    }

    /// Reads over an object or an array with all that is in it.
    fn skip_nested(&mut self) -> Option<()> {
        if let Some(length) = length_of_plain(self.bytes.get(self.at..)?) {
            self.at += length;
            return Some(());
        }
        let mut open = 0_usize;
        loop {
            match *self.bytes.get(self.at)? {
                b'"' => {
                    self.skip_text()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(());
            }
        }
    }

    /// Reads over a text, from its first quote to behind its last one.
    fn skip_text(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let found = memchr2(b'"', b'\\', rest)?;
            if rest[found] == b'"' {
                self.at += found + 1;
                return Some(());
            }
            // Whatever is escaped is none of the quotes that are looked for.
            self.at += found + 2;
        }
    }

    fn keep_from(&mut self, begin: usize, end: usize) {
        self.kept.extend_from_slice(self.bytes.get(begin..end).unwrap_or_default());
    }
}

/// The length of an object or an array that has no other one of its kind in it and no
/// backslash, which is found without a look at each text.
///
/// The first closing bracket is its end where it stands outside of texts, that is, behind an
/// even number of quotes, all of which begin or end a text where there is no backslash.
fn length_of_plain(value: &[u8]) -> Option<usize> {
    let (open, rest) = value.split_first()?;
    let inside = rest.get(..memchr(if *open == b'{' { b'}' } else { b']' }, rest)?)?;
    let is_plain = memchr2(*open, b'\\', inside).is_none()
        && memchr_iter(b'"', inside).count().is_multiple_of(2);
    is_plain.then_some(inside.len() + 2)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    /// `{rows: [{a, b: {c}, d}], link}`, of which `d` is any list of texts.
    fn answer() -> DataType {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let object = |name: &str, fields: Vec<Field>| {
            Field::new(name, DataType::Struct(fields.into()), true)
        };
        let texts = Field::new("d", DataType::new_list(DataType::Utf8, true), true);
        let row = object("row", vec![text("a"), object("b", vec![text("c")]), texts]);
        let rows = Field::new("rows", DataType::new_list(row.data_type().clone(), true), true);
        DataType::Struct(vec![rows, text("link")].into())
    }

    fn selected(body: &str) -> String {
        let mut selection = Selection::new(&answer());
        String::from_utf8(selection.of(body.as_bytes()).to_vec()).expect("text")
    }

    /// The same by other means.
    fn expected(value: &Value, wanted: &Wanted) -> Value {
        match (value, wanted) {
            (Value::Object(members), Wanted::Members(wanted)) => {
                let kept = members.iter().filter_map(|(name, value)| {
                    let found = wanted.iter().find(|(wanted, _)| wanted == name);
                    // A name that is not written as it is stays, whatever it is.
                    let is_escaped = name.contains('"').then_some(&Wanted::Whole);
                    let wanted = found.map(|(_, wanted)| wanted).or(is_escaped)?;
                    Some((name.clone(), expected(value, wanted)))
                });
                Value::Object(kept.collect())
            }
            (Value::Array(items), Wanted::Items(item)) => {
                items.iter().map(|value| expected(value, item)).collect()
            }
            _ => value.clone(),
        }
    }

    #[test]
    fn what_no_column_reads_is_left_out() {
        let body = r#" {"rows":[{"x":{"a":["}\"",{}]},"a":"1","y":"\\","b":{"z":null,"c":"2"}},
            {"d":["]"],"x":-1.5e3} , {}],"count":2,"link":"\"" } "#;
        let kept = r#"{"rows":[{"a":"1","b":{"c":"2"}},{"d":["]"]},{}],"link":"\""} "#;
        assert_eq!(selected(body), kept);
    }

    #[test]
    fn values_of_another_type_stay_as_they_are() {
        let body = r#"{"rows":[{"a":{"x":1},"b":[{"c":1}]},"a",{"b":null}],"link":{"next":1}}"#;
        assert_eq!(selected(body), body);
    }

    #[test]
    fn names_that_stand_twice_or_are_written_otherwise_stay() {
        let body = r#"{"rows":[{"a":"1","\u0061":"2","x":0,"a":"3"}]}"#;
        assert_eq!(selected(body), r#"{"rows":[{"a":"1","\u0061":"2","a":"3"}]}"#);
    }

    #[test]
    fn what_is_no_json_is_left_to_the_decoder() {
        for body in [
            "",
            "<html>",
            r#"{"x":1"rows":[]}"#,
            r#"{"x":1,,"rows":[]}"#,
            r#"{"x":1,}"#,
            r#"{"x" 1}"#,
            r#"{"x":"}"#,
            r#"{"x":"\"#,
            r#"{"x":{"y":"}"}"#,
            r#"{"rows":[{"a":"1"}"#,
            r#"{"rows":[{"a":"1"} {"x":"2"}]}"#,
        ] {
            assert_eq!(selected(body), body);
        }
    }

    #[test]
    fn a_page_of_which_most_is_kept_is_the_last_one_looked_at() {
        let mut selection = Selection::new(&answer());
        let page = |rows: usize| {
            let rows = vec![r#"{"a":"a long text that is kept","x":1}"#; rows].join(",");
            format!(r#"{{"rows":[{rows}]}}"#).into_bytes()
        };
        let (small, large) = (page(1), page(1_000));
        for _ in 0..2 {
            assert!(selection.of(&small).len() < small.len(), "it says nothing about others");
        }
        assert!(selection.of(&large).len() < large.len());
        assert_eq!(selection.of(&large), large);
    }

    /// Values that have names of the schema at all depths, and what is hard to read over.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            r#"[a-c"\\{}\[\],: é]{0,12}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            let names = prop::sample::select(vec!["a", "b", "c", "d", "x", "rows", "link", "}\""]);
            let members = prop::collection::vec((names, inner.clone()), 0..5);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                members.prop_map(|members| {
                    let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                    Value::Object(members.collect::<Map<_, _>>())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn all_that_is_read_is_kept(rows in prop::collection::vec(values(), 0..4), more in values(), pretty: bool) {
            let answer_type = answer();
            let page = json!({"x": more, "rows": rows, "link": more});
            let body = if pretty {
                serde_json::to_vec_pretty(&page).expect("written")
            } else {
                serde_json::to_vec(&page).expect("written")
            };
            let mut selection = Selection::new(&answer_type);
            let kept: Value = serde_json::from_slice(selection.of(&body)).expect("JSON");
            prop_assert_eq!(kept, expected(&page, &Wanted::of(&answer_type)));
        }

        #[test]
        fn a_page_that_is_cut_off_stays_so(rows in prop::collection::vec(values(), 0..4), at in 0.0..1.0) {
            let body = serde_json::to_vec(&json!({"rows": rows})).expect("written");
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
                reason = "a place in a short text")]
            let body = &body[..(body.len() as f64 * at) as usize];
            let mut selection = Selection::new(&answer());
            prop_assert_eq!(selection.of(body), body);
        }
    }
}
