//! SQL as it is being typed: its words, strings and comments, however unfinished.

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters, digits and underscores that begin with a letter.
    Word,
    /// A name in double quotes.
    Name {
        is_closed: bool,
    },
    /// A text in single quotes.
    Text {
        is_closed: bool,
    },
    Number,
    Comment {
        is_closed: bool,
    },
    Space,
    /// Any other sign, alone.
    Sign,
}

/// A piece of a text, by its place in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

impl Piece<'_> {
    /// Where the piece ends.
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it says something.
    pub(crate) fn is_said(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment { .. })
    }

    /// Whether it is this word, in whatever case.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// The name that it is: a word in lower case, as SQL reads it, or what is between quotes.
    pub(crate) fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_lowercase()),
            Kind::Name { is_closed: true } => {
                let inner = self.text.strip_prefix('"')?.strip_suffix('"')?;
                Some(inner.replace("\"\"", "\""))
            }
            _ => None,
        }
    }
}

/// The pieces of a text: together they are all of it.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = first(rest);
        let (piece, _) = rest.split_at(length);
        pieces.push(Piece { kind, start, text: piece });
        start += length;
    }
    pieces
}

/// The kind and the length of the first piece.
fn first(text: &str) -> (Kind, usize) {
    let mut letters = text.chars();
    let Some(letter) = letters.next() else { return (Kind::Sign, 0) };
    let while_is = |keep: &dyn Fn(char) -> bool| {
        text.char_indices().find(|(_, c)| !keep(*c)).map_or(text.len(), |(at, _)| at)
    };
    if letter.is_whitespace() {
        return (Kind::Space, while_is(&char::is_whitespace));
    }
    if letter.is_alphabetic() || letter == '_' {
        return (Kind::Word, while_is(&|c| c.is_alphanumeric() || c == '_' || c == '$'));
    }
    if letter.is_ascii_digit() {
        return (Kind::Number, while_is(&|c| c.is_alphanumeric() || c == '.' || c == '_'));
    }
    if text.starts_with("--") {
        let length = text.find('\n').unwrap_or(text.len());
        return (Kind::Comment { is_closed: length < text.len() }, length);
    }
    if text.starts_with("/*") {
        return match text.find("*/") {
            Some(at) => (Kind::Comment { is_closed: true }, at + 2),
            None => (Kind::Comment { is_closed: false }, text.len()),
        };
    }
    match letter {
        '\'' => {
            let (is_closed, length) = quoted(text, '\'');
            (Kind::Text { is_closed }, length)
        }
        '"' => {
            let (is_closed, length) = quoted(text, '"');
            (Kind::Name { is_closed }, length)
        }
        sign => (Kind::Sign, sign.len_utf8()),
    }
}

/// Whether what is in quotes ends, and where; a doubled quote is one of its letters.
fn quoted(text: &str, quote: char) -> (bool, usize) {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return (true, at + quote.len_utf8());
        }
    }
    (false, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(Kind, &str)> {
        let all = pieces(text);
        assert_eq!(all.iter().map(|piece| piece.text).collect::<String>(), text);
        let said = all.into_iter().filter(|piece| piece.kind != Kind::Space);
        said.map(|piece| (piece.kind, piece.text)).collect()
    }

    #[test]
    fn what_is_whole_and_what_is_not() {
        assert_eq!(
            shown("SELECT \"a\"\"b\", 'it''s', 1.5e3 -- ok"),
            [
                (Kind::Word, "SELECT"),
                (Kind::Name { is_closed: true }, "\"a\"\"b\""),
                (Kind::Sign, ","),
                (Kind::Text { is_closed: true }, "'it''s'"),
                (Kind::Sign, ","),
                (Kind::Number, "1.5e3"),
                (Kind::Comment { is_closed: false }, "-- ok"),
            ]
        );
        for (open, kind) in [
            ("'été", Kind::Text { is_closed: false }),
            ("\"n", Kind::Name { is_closed: false }),
            ("/* x", Kind::Comment { is_closed: false }),
        ] {
            assert_eq!(shown(open), [(kind, open)]);
        }
        assert_eq!(pieces("\"A b\"")[0].name().as_deref(), Some("A b"));
        assert_eq!(pieces("Abc")[0].name().as_deref(), Some("abc"));
    }

    #[test]
    fn every_beginning_of_a_text_is_cut_up_without_loss() {
        let text = "SELECT 'ü'' x', \"ñ\" /* ; */ FROM é.t -- €\n WHERE x<>$1;\u{202e}🙂";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            shown(&text[..end]);
        }
    }
}
